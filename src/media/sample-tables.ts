/**
 * Where the samples (frames, blocks of sound) of an MP4 lie, from the tables in its `moov` box (ISO 14496-12, 8.6–8.7).
 * A player believes these tables; a file that was cut short still has them whole when they stand in front.
 */
import { boxesIn } from './boxes.ts'
import { BrokenMedia } from './broken-media.ts'

/**
 * Ten hours of 60 frames and 47 blocks of AAC a second are 3.9 million. Tables are run-length coded, so without a limit
 * a few bytes could ask us, or the demuxer after us, to lay out billions of samples.
 */
const MAX_SAMPLES_PER_TRACK = 4_000_000

/** The boxes between `moov` and the tables. */
const PATH_TO_TABLES = ['trak', 'mdia', 'minf', 'stbl']

/** Version and flags in front of the fields of every table. */
const FULL_BOX_BYTES = 4

/** Bytes of a file, from the first to one past the last. */
export interface FileSpan {
  readonly start: number
  readonly end: number
}

/** One past the last byte that any sample of any track occupies; 0 when the samples are in fragments. */
export function furthestSampleEnd(moov: Buffer): number {
  let furthest = 0
  for (const tables of sampleTablesIn(moov, PATH_TO_TABLES)) {
    for (const { end } of spansOf(tables)) furthest = Math.max(furthest, end)
  }
  return furthest
}

/** Where the samples of one track lie, chunk by chunk; `trak` is the content of its box. */
export function* sampleSpans(trak: Buffer): Generator<FileSpan> {
  for (const tables of sampleTablesIn(trak, PATH_TO_TABLES.slice(1))) yield* spansOf(tables)
}

type Tables = ReadonlyMap<string, Buffer>

function* sampleTablesIn(content: Buffer, path: readonly string[]): Generator<Tables> {
  const [next, ...rest] = path
  if (next === undefined) {
    yield new Map([...boxesIn(content)].map((box) => [box.type, box.content.subarray(FULL_BOX_BYTES)]))
    return
  }
  for (const box of boxesIn(content)) if (box.type === next) yield* sampleTablesIn(box.content, rest)
}

function* spansOf(tables: Tables): Generator<FileSpan> {
  try {
    const sizes = sampleSizes(tables)
    for (const timing of ['stts', 'ctts']) checkRunLengths(tables.get(timing))
    yield* chunkSpans(tables, sizes)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new BrokenMedia('unreadable', 'The file is damaged: a table of its index is shorter than it claims.', {
      cause,
    })
  }
}

interface SampleSizes {
  readonly count: number
  sizeOf(index: number): number
}

function sampleSizes(tables: Tables): SampleSizes {
  const stsz = tables.get('stsz')
  if (stsz !== undefined) {
    const uniform = stsz.readUInt32BE(0)
    const count = checkedCount(stsz.readUInt32BE(4))
    return { count, sizeOf: (index) => (uniform === 0 ? stsz.readUInt32BE(8 + index * 4) : uniform) }
  }
  const stz2 = tables.get('stz2')
  if (stz2 === undefined) return { count: 0, sizeOf: () => 0 }
  const bits = stz2.readUInt8(3)
  const count = checkedCount(stz2.readUInt32BE(4))
  if (bits === 16) return { count, sizeOf: (index) => stz2.readUInt16BE(8 + index * 2) }
  if (bits === 8) return { count, sizeOf: (index) => stz2.readUInt8(8 + index) }
  // Two to a byte, the first in the high half.
  return { count, sizeOf: (index) => (stz2.readUInt8(8 + (index >> 1)) >> (index % 2 === 0 ? 4 : 0)) & 0x0f }
}

function checkedCount(count: number): number {
  if (count <= MAX_SAMPLES_PER_TRACK) return count
  throw new BrokenMedia(
    'unreadable',
    `The file claims ${count} samples in a track; the limit is ${MAX_SAMPLES_PER_TRACK}.`,
  )
}

/** Adds up a table of (how many samples, value) pairs, to refuse one that would be laid out without end. */
function checkRunLengths(table: Buffer | undefined): void {
  if (table === undefined) return
  const entries = table.readUInt32BE(0)
  let samples = 0
  for (let entry = 0; entry < entries; entry += 1) samples = checkedCount(samples + table.readUInt32BE(4 + entry * 8))
}

/** Walks the chunks: `stsc` says from which chunk on how many samples lie in each, `stco`/`co64` where each starts. */
function* chunkSpans(tables: Tables, sizes: SampleSizes): Generator<FileSpan> {
  const chunkMap = tables.get('stsc')
  if (chunkMap === undefined || sizes.count === 0) return
  const entries = chunkMap.readUInt32BE(0)
  const chunks = chunkOffsets(tables)
  let sample = 0
  for (let entry = 0; entry < entries; entry += 1) {
    const first = chunkMap.readUInt32BE(4 + entry * 12)
    const samplesPerChunk = checkedCount(chunkMap.readUInt32BE(8 + entry * 12))
    // A chunk of nothing is never written, and would let the loops below turn without coming closer to their end.
    if (samplesPerChunk === 0) throw new BrokenMedia('unreadable', 'The file is damaged: its index has an empty chunk.')
    const next = entry + 1 < entries ? chunkMap.readUInt32BE(4 + (entry + 1) * 12) : chunks.count + 1
    for (let chunk = first; chunk < next && sample < sizes.count; chunk += 1) {
      const start = chunks.offsetOf(chunk - 1)
      let end = start
      for (const last = Math.min(sample + samplesPerChunk, sizes.count); sample < last; sample += 1) {
        end += sizes.sizeOf(sample)
      }
      yield { start, end }
    }
  }
  if (sample < sizes.count) {
    throw new BrokenMedia('unreadable', `The file is damaged: its index places ${sample} of ${sizes.count} samples.`)
  }
}

function chunkOffsets(tables: Tables): { readonly count: number; offsetOf(index: number): number } {
  const co64 = tables.get('co64')
  if (co64 !== undefined) {
    return { count: co64.readUInt32BE(0), offsetOf: (index) => Number(co64.readBigUInt64BE(4 + index * 8)) }
  }
  const stco = tables.get('stco')
  if (stco === undefined) return { count: 0, offsetOf: () => 0 }
  return { count: stco.readUInt32BE(0), offsetOf: (index) => stco.readUInt32BE(4 + index * 4) }
}
