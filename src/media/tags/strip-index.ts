/**
 * The index of an MP4 or MOV (`moov`), and the head of a fragment (`moof`): boxes in boxes. What is known to be read by
 * players stays, and everything else becomes free space: users' data, tags, boxes of anybody's invention.
 */
import { boxesIn, type InnerBox } from '../boxes.ts'
import { BrokenMedia } from '../broken-media.ts'
import { type FileSpan, sampleSpans } from '../sample-tables.ts'

/** What may stand in each box that holds others (ISO 14496-12; QuickTime File Format). */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  moov: ['mvhd', 'trak', 'mvex', 'iods', 'pssh'],
  trak: ['tkhd', 'tref', 'edts', 'mdia', 'tapt', 'clip', 'matt', 'load'],
  edts: ['elst'],
  tapt: ['clef', 'prof', 'enof'],
  mdia: ['mdhd', 'hdlr', 'elng', 'minf'],
  minf: ['vmhd', 'smhd', 'hmhd', 'nmhd', 'sthd', 'gmhd', 'hdlr', 'dinf', 'stbl'],
  dinf: ['dref'],
  stbl: [
    ...['stsd', 'stts', 'ctts', 'cslg', 'stss', 'stsh', 'stps', 'stsc', 'stsz', 'stz2', 'stco', 'co64'],
    ...['sdtp', 'sbgp', 'sgpd', 'subs', 'saiz', 'saio', 'stdp', 'padb'],
  ],
  mvex: ['mehd', 'trex', 'leva'],
  moof: ['mfhd', 'pssh', 'traf'],
  traf: ['tfhd', 'tfdt', 'trun', 'sdtp', 'sbgp', 'sgpd', 'subs', 'saiz', 'saio', 'senc'],
}

/** A file has some hundred. Past this it is made to waste our time. */
const MAX_BOXES = 100_000

/** Chunks of samples that are kept in mind. An hour of picture and sound in chunks of a fifth of a second has 36,000. */
const MAX_SPANS = 100_000

/** Media that a video is made of; other tracks hold text, or data that players do not show. */
const KEPT_MEDIA: readonly string[] = ['vide', 'soun']

/** Version, flags, a reserved word, the kind of media, and three words more; the name of a program follows. */
const HANDLER_NAME_AT = 24
const HANDLER_KIND_AT = 8

/** Version, flags, and the number of entries. */
const ENTRIES_AT = 8

/** Of a sample entry of pictures: the name of the encoder, a byte for its length and 31 for its letters. */
const ENCODER_NAME = { start: 42, end: 74 }

/** Of a data reference: that the data are in this very file, so that whatever follows leads nowhere. */
const IN_THIS_FILE = 1
const REFERENCE_AT = 4

export interface StrippedIndex {
  /** Samples of tracks that were dropped. */
  readonly lostSamples: readonly FileSpan[]
}

/** Strips the content of a `moov` or `moof` box in place. */
export function stripIndex(type: string, content: Buffer): StrippedIndex {
  let boxes = 0
  const lostSamples = type === 'moov' ? dropTracks(content) : []
  strip(type, content, '')
  return { lostSamples }

  function strip(container: string, inner: Buffer, media: string): void {
    let end = 0
    for (const box of boxesIn(inner)) {
      boxes += 1
      if (boxes > MAX_BOXES) throw new BrokenMedia('unreadable', `The file has more than ${MAX_BOXES} boxes.`)
      end += box.whole.length
      if (CHILDREN[container]?.includes(box.type) !== true) emptyBox(box.whole, box.whole.length - box.content.length)
      else if (CHILDREN[box.type] === undefined) stripLeaf(box, media)
      else strip(box.type, box.content, box.type === 'trak' ? mediaOf(box.content) : media)
    }
    // What is no box is read by nobody.
    inner.fill(0, end)
  }
}

/** Makes free space of a box, whose header keeps its length. `whole` may be its header alone. */
export function emptyBox(whole: Buffer, headerBytes: number): void {
  whole.write('free', 4, 'latin1')
  whole.fill(0, headerBytes)
}

function stripLeaf({ type, content }: InnerBox, media: string): void {
  if (type === 'hdlr') content.fill(0, HANDLER_NAME_AT)
  if (type === 'stsd' && media === 'vide') stripEncoderNames(content)
  if (type === 'dref')
    for (const { content: reference } of boxesIn(content.subarray(ENTRIES_AT))) stripReference(reference)
}

/** Sample entries of sound have no place for such a name. */
function stripEncoderNames(content: Buffer): void {
  for (const { content: entry } of boxesIn(content.subarray(ENTRIES_AT))) {
    entry.fill(0, ENCODER_NAME.start, ENCODER_NAME.end)
  }
}

function stripReference(reference: Buffer): void {
  if (reference.length >= REFERENCE_AT && (reference.readUInt32BE(0) & IN_THIS_FILE) !== 0) {
    reference.fill(0, REFERENCE_AT)
  }
}

/** Drops tracks of other media, and gives their samples, but for bytes that a kept track claims as well. */
function dropTracks(moov: Buffer): FileSpan[] {
  const tracks = [...boxesIn(moov)].filter(({ type }) => type === 'trak')
  const dropped = tracks.filter(({ content }) => !KEPT_MEDIA.includes(mediaOf(content)))
  if (dropped.length === 0) return []
  const kept = spansOf(tracks.filter((track) => !dropped.includes(track)))
  const lost = spansOf(dropped)
  for (const { whole, content } of dropped) emptyBox(whole, whole.length - content.length)
  return withoutShared(lost, kept)
}

/** In the order in which they stand in the file. */
function spansOf(tracks: readonly InnerBox[]): FileSpan[] {
  const spans: FileSpan[] = []
  for (const { content } of tracks) {
    for (const span of sampleSpans(content)) {
      if (spans.push(span) > MAX_SPANS)
        throw new BrokenMedia('unreadable', `The file has more than ${MAX_SPANS} chunks.`)
    }
  }
  return spans.toSorted((one, other) => one.start - other.start)
}

/** Those that touch none of the others; both in the order of the file. */
function withoutShared(spans: readonly FileSpan[], others: readonly FileSpan[]): FileSpan[] {
  let at = 0
  let reached = 0
  return spans.filter(({ start, end }) => {
    for (let other = others[at]; other !== undefined && other.start < end; other = others[at]) {
      reached = Math.max(reached, other.end)
      at += 1
    }
    return reached <= start
  })
}

function mediaOf(trak: Buffer): string {
  for (const { type, content } of boxesIn(trak)) {
    if (type !== 'mdia') continue
    for (const { type: inner, content: handler } of boxesIn(content)) {
      if (inner === 'hdlr') return handler.toString('latin1', HANDLER_KIND_AT, HANDLER_KIND_AT + 4)
    }
  }
  return ''
}
