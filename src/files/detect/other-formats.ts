/** Formats that are told from their first bytes, only to say what a refused file is. */

interface Signature {
  readonly at: number
  readonly bytes: Buffer
  /** Completes the sentence “The file is …”. */
  readonly found: string
}

function signature(bytes: string | readonly number[], found: string, at = 0): Signature {
  return { at, bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes), found }
}

/** The longer of two that start alike stands first. */
const SIGNATURES: readonly Signature[] = [
  signature('GIF8', 'a GIF image'),
  signature([0x89, 0x50, 0x4e, 0x47], 'a PNG image that was damaged on its way, as text is when it is converted'),
  signature('BM', 'a BMP image'),
  signature('II*\0', 'a TIFF image'),
  signature('MM\0*', 'a TIFF image'),
  signature('8BPS', 'a Photoshop document'),
  signature([0x00, 0x00, 0x01, 0x00], 'an icon (ICO)'),
  signature('jP  ', 'a JPEG 2000 image', 4),
  signature('JXL ', 'a JPEG XL image', 4),
  signature([0xff, 0x0a], 'a JPEG XL image'),
  signature('AVI ', 'an AVI video', 8),
  signature('FLV\x01', 'a Flash video'),
  signature([0x30, 0x26, 0xb2, 0x75], 'a Windows Media file'),
  signature([0x00, 0x00, 0x01, 0xba], 'an MPEG program stream'),
  signature('RF64', 'RF64 sound'),
  signature('fLaC', 'FLAC sound'),
  signature('FORM', 'an IFF file (AIFF sound, as a rule)'),
  signature('#!AMR', 'AMR sound'),
  signature('MThd', 'a MIDI file'),
  signature('PK\x03\x04', 'a ZIP archive'),
  signature('PK\x05\x06', 'a ZIP archive'),
  signature('Rar!', 'a RAR archive'),
  signature('7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'),
  signature('BZh', 'compressed with bzip2'),
  signature([0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz'),
  signature([0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd'),
  signature('\x7fELF', 'a program'),
  signature('MZ', 'a program'),
  signature([0xca, 0xfe, 0xba, 0xbe], 'a program'),
  signature('#!', 'a script'),
  signature([0xff, 0xfe], 'text in UTF-16'),
  signature([0xfe, 0xff], 'text in UTF-16'),
]

/** Brands of ISO 14496-12 files that hold neither video nor sound, or not of a kind that is taken. */
const BRANDS: readonly (readonly [brand: RegExp, found: string])[] = [
  [/^(avif|avis)$/, 'an AVIF image'],
  [/^(heic|heix|heim|heis|hevc|hevx|mif1|msf1)$/, 'an HEIC image'],
  [/^crx $/, 'a raw photograph (CR3)'],
  [/^jp[2mx] $/, 'a JPEG 2000 image'],
  [/^3g[2p]/, 'a 3GP video'],
]

/** What a file is that is not taken, from its head; `undefined` for one that is not known here. */
export function otherFormat(head: Buffer): string | undefined {
  if (head.toString('latin1', 4, 8) === 'ftyp') return otherBrand(head)
  const known = SIGNATURES.find(({ at, bytes }) => head.subarray(at, at + bytes.length).equals(bytes))
  return known?.found
}

/** HEIF files of either kind may call themselves `mif1`; the brands after it tell which one it is. */
function otherBrand(head: Buffer): string | undefined {
  const brand = head.toString('latin1', 8, 12)
  if (brand === 'mif1' && head.subarray(16, head.readUInt32BE(0)).includes('avif')) return 'an AVIF image'
  return BRANDS.find(([pattern]) => pattern.test(brand))?.[1]
}
