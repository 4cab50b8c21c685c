import type { FileHandle } from 'node:fs/promises'
import { BrokenMedia } from '../broken-media.ts'
import { type ElementHeader, elementsIn, MAX_HEADER_BYTES, makeVoid, readHeader, voidHeader } from './ebml.ts'
import { overwrite, readAt, writeAt } from './overwrite.ts'

/** Ids of RFC 9559. */
const ID = {
  header: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  info: 0x1549a966,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  cues: 0x1c53bb6b,
  cluster: 0x1f43b675,
} as const

/** Of `Info`: the unit of time, the length, the date, the segment's id, and the two that must be there, without their text. */
const KEPT_INFO: readonly number[] = [0x2ad7b1, 0x4489, 0x4461, 0x73a4, ID.muxingApp, ID.writingApp]

/**
 * Of a track: its numbers, kind, flags, times, language, codec with what that needs, pictures, sound, encodings and what
 * depth or transparency go with it. Not its name, nor that of its codec, nor attachments.
 */
const KEPT_OF_TRACK: readonly number[] = [
  ...[0xd7, 0x73c5, 0x83, 0xb9, 0x88, 0x55aa, 0x55ab, 0x55ac, 0x55ad, 0x55ae, 0x55af, 0x9c, 0x6de7, 0x6df8],
  ...[0x23e383, 0x234e7a, 0x23314f, 0x537f, 0x55ee, 0x41e4, 0x22b59c, 0x22b59d, 0x86, 0x63a2, 0xaa, 0x6fab],
  ...[0x56aa, 0x56bb, 0xe0, 0xe1, 0xe2, 0x6d80],
]

/** What stands in a cluster: its elements follow it at once where its size was not known when it was begun. */
const IN_CLUSTER: readonly number[] = [0xe7, 0xa7, 0xab, 0xa3, 0xa0, 0x5854, 0xaf]

/** Elements of a segment that stay. What is not among them, tags, chapters and attachments above all, becomes empty. */
const KEPT: readonly number[] = [ID.seekHead, ID.info, ID.tracks, ID.cues, ID.cluster, ...IN_CLUSTER]

/** Of an element that is read into memory. Real ones have some kilobytes. */
const MAX_HEAD_BYTES = 4 * 1024 * 1024

/** Half an hour of blocks in clusters of unknown size. Past this a file is made to waste our time: each costs a read. */
const MAX_ELEMENTS = 200_000

/** Strips a WebM in place: see `stripTags`. What follows its segment is cut off. */
export async function stripWebm(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  let elements = 0
  for (let at = 0; at < size; ) {
    elements += 1
    if (elements > MAX_ELEMENTS) throw new BrokenMedia('unreadable', `The file has more than ${MAX_ELEMENTS} elements.`)
    const header = readHeader(await readAt(file, { start: at, end: Math.min(size, at + MAX_HEADER_BYTES) }))
    // Damaged from here on: what players make of it is left to them.
    if (header === undefined) return
    const start = at + header.headerBytes
    const end = header.size === undefined ? undefined : start + header.size
    if (header.id === ID.segment || (header.id === ID.cluster && end === undefined)) {
      if (header.id === ID.segment && end !== undefined && end < size) return await stripSegmentOf(end)
      at = start
      continue
    }
    if (end === undefined || end > size) return
    if (header.id !== ID.header) await stripElement(file, header, { start: at, end })
    at = end
  }

  async function stripSegmentOf(end: number): Promise<void> {
    await file.truncate(end)
    await stripWebm(file)
  }
}

interface Place {
  readonly start: number
  readonly end: number
}

async function stripElement(
  file: FileHandle,
  { id, headerBytes }: ElementHeader,
  { start, end }: Place,
): Promise<void> {
  if (!KEPT.includes(id)) return await makeVoidAt(file, { start, end })
  const change = CHANGES.get(id)
  if (change === undefined) return
  const content = { start: start + headerBytes, end }
  if (end - content.start > MAX_HEAD_BYTES) {
    throw new BrokenMedia('unreadable', `The file has a head of ${end - content.start} bytes.`)
  }
  const bytes = await readAt(file, content)
  change(bytes)
  await writeAt(file, bytes, content.start)
}

const CHANGES: ReadonlyMap<number, (content: Buffer) => void> = new Map([
  [ID.seekHead, stripSeekHead],
  [ID.info, stripInfo],
  [ID.tracks, stripTracks],
])

/** What leads to an element that has become empty. */
function stripSeekHead(content: Buffer): void {
  for (const element of elementsIn(content)) {
    const seekId = [...elementsIn(element.content)].find(({ id }) => id === ID.seekId)?.content
    const target =
      seekId === undefined || seekId.length > 4 || seekId.length === 0 ? 0 : seekId.readUIntBE(0, seekId.length)
    if (element.id !== ID.seek || !KEPT.includes(target)) makeVoid(element)
  }
}

/** A text of zeros is an empty one. A checksum, which would no longer fit, is not among what stays. */
function stripInfo(content: Buffer): void {
  for (const element of elementsIn(content)) {
    if (!KEPT_INFO.includes(element.id)) makeVoid(element)
    else if (element.id === ID.muxingApp || element.id === ID.writingApp) element.content.fill(0)
  }
}

function stripTracks(content: Buffer): void {
  for (const entry of elementsIn(content)) {
    if (entry.id !== ID.trackEntry) makeVoid(entry)
    else for (const element of elementsIn(entry.content)) if (!KEPT_OF_TRACK.includes(element.id)) makeVoid(element)
  }
}

async function makeVoidAt(file: FileHandle, { start, end }: Place): Promise<void> {
  const header = voidHeader(end - start)
  await writeAt(file, header, start)
  await overwrite(file, { start: start + header.length, end })
}
