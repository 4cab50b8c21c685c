/**
 * Files that are two things at once: what shows a picture to one program is an archive, a document or a page to another.
 * The ends of pictures and videos are checked where they are examined; these hide inside of what belongs to them.
 */

/** Readers of PDF look for its header in as many bytes. */
const PDF_SEARCH_BYTES = 1024

/** The end record of a ZIP archive (PKWARE APPNOTE, 4.3.16), and the longest comment that may follow it. */
const ZIP_END_BYTES = 22
const ZIP_COMMENT_BYTES = 65_535

/** How much of each end of a file has to be looked at. */
export const HIDDEN_HEAD_BYTES = PDF_SEARCH_BYTES + 8
export const HIDDEN_TAIL_BYTES = ZIP_END_BYTES + ZIP_COMMENT_BYTES

/** What else a file is, from its two ends: `a ZIP archive`; `undefined` for nothing else. */
export function hiddenFormat(head: Buffer, tail: Buffer): string | undefined {
  if (head.subarray(0, HIDDEN_HEAD_BYTES).includes('%PDF-')) return 'a PDF document'
  if (hasZipEnd(tail)) return 'a ZIP archive'
  // No format that is taken has these in its head; the packets of metadata begin with other tags.
  const text = head.toString('latin1', 0, HIDDEN_HEAD_BYTES)
  if (/<(?:script|html|body|iframe|svg)[\s>/]|<!doctype\s|<\?php/i.test(text)) return 'a page or a script'
  return undefined
}

/** Coded pictures hold any four bytes sooner or later, so the fields of the record must agree with where it stands. */
function hasZipEnd(tail: Buffer): boolean {
  for (let at = tail.indexOf('PK\x05\x06', 0, 'latin1'); at !== -1; at = tail.indexOf('PK\x05\x06', at + 1, 'latin1')) {
    if (at + ZIP_END_BYTES > tail.length) return false
    const isOnOneDisk = tail.readUInt32LE(at + 4) === 0
    const commentFits = at + ZIP_END_BYTES + tail.readUInt16LE(at + 20) <= tail.length
    if (isOnOneDisk && commentFits) return true
  }
  return false
}
