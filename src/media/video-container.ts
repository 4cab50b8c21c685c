export const VIDEO_CONTAINERS = ['mp4', 'mov', 'webm'] as const
export type VideoContainer = (typeof VIDEO_CONTAINERS)[number]

/** Enough of a file to tell its kind: the EBML header of WebM is the longest to say what it is. */
export const HEAD_BYTES = 256

export type Sniffed =
  | { readonly kind: 'video'; readonly container: VideoContainer }
  /** `found` completes the sentence “The file is …”. */
  | { readonly kind: 'other'; readonly found: string }

/** First boxes of QuickTime files that are older than `ftyp`. */
const OLD_QUICKTIME_BOXES = ['moov', 'mdat', 'wide', 'free', 'skip', 'pnot']

const EBML_MAGIC = Buffer.from([0x1a, 0x45, 0xdf, 0xa3])

const OTHER_MAGIC: readonly (readonly [magic: Buffer, found: string])[] = [
  [Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'a PNG image'],
  [Buffer.from([0xff, 0xd8, 0xff]), 'a JPEG image'],
  [Buffer.from('GIF8'), 'a GIF image'],
  [Buffer.from('RIFF'), 'a RIFF file (WebP, AVI or WAV)'],
  [Buffer.from('PK\x03\x04'), 'a ZIP archive'],
  [Buffer.from([0x1f, 0x8b]), 'compressed with gzip'],
  [Buffer.from('%PDF'), 'a PDF document'],
  [Buffer.from('#EXTM3U'), 'an HLS playlist'],
]

/** Tells what a file is from its first `HEAD_BYTES` bytes, whatever its name and its sender say. */
export function sniffContainer(head: Buffer): Sniffed {
  if (head.length === 0) return { kind: 'other', found: 'empty' }
  const box = head.toString('latin1', 4, 8)
  if (box === 'ftyp') return sniffBrand(head.toString('latin1', 8, 12))
  if (OLD_QUICKTIME_BOXES.includes(box)) return { kind: 'video', container: 'mov' }
  if (head.subarray(0, 4).equals(EBML_MAGIC)) {
    if (head.includes('webm')) return { kind: 'video', container: 'webm' }
    return { kind: 'other', found: 'Matroska, but not WebM' }
  }
  const known = OTHER_MAGIC.find(([magic]) => head.subarray(0, magic.length).equals(magic))
  return { kind: 'other', found: known === undefined ? sniffText(head) : known[1] }
}

/** HEIC and AVIF pictures and M4A sound are boxes as well; only their brand tells them from a video. */
function sniffBrand(brand: string): Sniffed {
  if (brand === 'qt  ') return { kind: 'video', container: 'mov' }
  if (/^(heic|heix|mif1|avif)$/.test(brand)) return { kind: 'other', found: 'a still picture (HEIC or AVIF)' }
  return { kind: 'video', container: 'mp4' }
}

function sniffText(head: Buffer): string {
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (/^[{[]/.test(text)) return 'JSON'
  if (text.startsWith('<')) return 'HTML or XML'
  const isText = head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
  return isText ? 'plain text' : 'of no known kind'
}
