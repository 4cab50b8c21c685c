import type { FileHandle } from 'node:fs/promises'
import { type Box, topLevelBoxes } from '../boxes.ts'
import { BrokenMedia } from '../broken-media.ts'
import type { FileSpan } from '../sample-tables.ts'
import { isXmp, keptOfXmp } from '../xmp.ts'
import { overwrite, readAt, writeAt } from './overwrite.ts'
import { emptyBox, stripIndex } from './strip-index.ts'

/** Of a file's index, or of the head of a fragment; as a probe allows. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

/** Another program's XMP; a longer one is dropped whole. */
const MAX_XMP_BYTES = 1024 * 1024

/** Content of a `uuid` box that is a C2PA manifest store begins with this (C2PA 2.1, A.5). */
const C2PA_UUID = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex')

const UUID_BYTES = 16

/** A JUMBF box whose description names C2PA, which stands within these bytes. */
const JUMBF_HEAD_BYTES = 128

/** Outermost boxes that players read, and that have no place for words. */
const KEPT: readonly string[] = ['ftyp', 'styp', 'mdat', 'sidx', 'ssix', 'prft', 'pdin', 'mfra']

/** Outermost boxes that hold others. */
const INDEXES: readonly string[] = ['moov', 'moof']

/** Strips an MP4 or MOV in place: see `stripTags`. */
export async function stripBoxes(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const boxes = await topLevelBoxes(file, size)
  const data = boxes.filter(({ type }) => type === 'mdat')
  for (const box of boxes) {
    if (KEPT.includes(box.type)) continue
    if (INDEXES.includes(box.type)) await stripIndexOf(file, { box, data })
    else if (!(await isProvenance(file, box))) await empty(file, box)
  }
}

async function stripIndexOf(
  file: FileHandle,
  { box, data }: { readonly box: Box; readonly data: readonly Box[] },
): Promise<void> {
  const start = box.start + box.headerBytes
  if (box.end - start > MAX_INDEX_BYTES)
    throw new BrokenMedia('unreadable', `The file has an index of ${box.end - start} bytes.`)
  const content = await readAt(file, { start, end: box.end })
  const { lostSamples } = stripIndex(box.type, content)
  await writeAt(file, content, start)
  // A damaged index may say that samples lie anywhere; only where data lie is anything overwritten.
  const isData = (span: FileSpan) =>
    data.some((each) => span.start >= each.start + each.headerBytes && span.end <= each.end)
  for (const span of lostSamples.filter(isData)) await overwrite(file, span)
}

/** Whether a box says where the video comes from. Of XMP what else it says is taken out here. */
async function isProvenance(file: FileHandle, { type, start, headerBytes, end }: Box): Promise<boolean> {
  const content = { start: start + headerBytes, end }
  if (type === 'jumb') {
    const head = await readAt(file, { ...content, end: Math.min(end, content.start + JUMBF_HEAD_BYTES) })
    return head.includes('c2pa')
  }
  if (type !== 'uuid') return false
  const id = await readAt(file, { ...content, end: Math.min(end, content.start + UUID_BYTES) })
  if (id.equals(C2PA_UUID)) return true
  if (!isXmp(id) || end - content.start > MAX_XMP_BYTES) return false
  const kept = keptOfXmp(await readAt(file, content))
  if (kept !== undefined) await writeAt(file, kept, content.start)
  return kept !== undefined
}

/** Makes free space of a box. */
async function empty(file: FileHandle, { start, headerBytes, end }: Box): Promise<void> {
  const header = await readAt(file, { start, end: start + headerBytes })
  emptyBox(header, headerBytes)
  await writeAt(file, header, start)
  await overwrite(file, { start: start + headerBytes, end })
}
