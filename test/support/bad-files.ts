/**
 * Files that must be refused: empty, cut short, of types that are not taken, lying about their type, two things at once,
 * made to fill a memory. They are made here, from good ones, so that nobody needs to keep them in a repository.
 */
import { crc32, deflateSync, gzipSync } from 'node:zlib'
import { soundBytes, testMp3, testPicture, testWav, videoBytes } from './good-files.ts'

export interface BadFile {
  readonly name: string
  /** What the sender says that it is. */
  readonly declaredType: string
  readonly bytes: Buffer
  /** What the refusal has to say. */
  readonly says: RegExp
}

/** An archive with one empty file in it, whole: readers find its end record from the back. */
export const ZIP_ARCHIVE: Buffer = Buffer.concat([
  Buffer.from('504b0304140000000000000021000000000000000000000000000100000061', 'hex'),
  Buffer.from(
    '504b01021400140000000000000021000000000000000000000000000100000000000000000000000000000000000061',
    'hex',
  ),
  Buffer.from('504b0506000000000100010030000000200000000000', 'hex'),
])

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><script>alert(1)</script></svg>'
export const PAGE = '<!doctype html><html><body><script>alert(1)</script></body></html>'

/** Makes all of them. */
export async function badFiles(): Promise<BadFile[]> {
  const picture = testPicture()
  const jpeg = await picture.clone().jpeg().toBuffer()
  const png = await picture.clone().png().toBuffer()
  const webp = await picture.clone().webp().toBuffer()
  return [
    ...texts(),
    ...otherTypes(),
    ...(await otherPictures()),
    ...cutShort({ jpeg, png, webp, mp3: testMp3(51), wav: testWav() }),
    ...(await cutShortMedia()),
    ...twoAtOnce({ jpeg, webp }),
    ...bombs({ jpeg, png, webp }),
    ...(await damaged({ jpeg, png })),
  ]
}

function bad(name: string, declaredType: string, bytes: Buffer | string, says: RegExp): BadFile {
  return { name, declaredType, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, says }
}

function texts(): BadFile[] {
  const mark = '\uFEFF'
  return [
    bad('empty.png', 'image/png', '', /is empty; allowed: image \(image\/jpeg, /),
    bad(
      'picture.svg',
      'image/svg+xml',
      SVG,
      /is an SVG image; allowed: image \(image\/jpeg, image\/png, image\/webp\), /,
    ),
    bad('svg-as.png', 'image/png', SVG, /is an SVG image/),
    bad('svg-with-header.png', 'image/png', `<?xml version="1.0"?>\n${SVG}`, /is an SVG image/),
    bad('svg-with-mark.png', 'image/png', `${mark}<?xml version="1.0"?>${SVG}`, /is an SVG image/),
    bad('svg-behind-comments.png', 'image/png', `<!-- a --><!-- ${'b'.repeat(900)} -->\n${SVG}`, /is an SVG image/),
    bad('svg-with-doctype.webp', 'image/webp', `<!DOCTYPE svg [<!ENTITY a "b">]>${SVG}`, /is an SVG image/),
    bad('svg-with-prefix.png', 'image/png', '<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', /is an SVG image/),
    bad('page.png', 'image/png', PAGE, /is an HTML page/),
    bad('page-with-mark.jpg', 'image/jpeg', `${mark}\n  ${PAGE}`, /is an HTML page/),
    bad('feed.mp4', 'video/mp4', '<?xml version="1.0"?><rss/>', /is HTML or XML/),
    bad('script.php.jpg', 'image/jpeg', '<?php system($_GET["c"]); ?>', /is a PHP script/),
    bad('answer.mp4', 'video/mp4', '{"error":{"code":"expired"}}', /is JSON/),
    bad('list.mp3', 'audio/mpeg', '[1, 2, 3]', /is JSON/),
    bad('note.webm', 'video/webm', 'upstream timed out', /is plain text/),
    bad('utf16.png', 'image/png', Buffer.from(`${mark}${SVG}`, 'utf16le'), /is text in UTF-16/),
    bad('run.sh.png', 'image/png', '#!/bin/sh\nrm -rf /\n', /is a script/),
    bad('list.m3u8.mp4', 'video/mp4', '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n', /is an HLS playlist/),
    bad('zeros.mp4', 'video/mp4', Buffer.alloc(5000), /is of no known kind/),
  ]
}

function otherTypes(): BadFile[] {
  const padded = (start: string) => Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(200, 7)])
  const brand = (name: string) => padded(`\0\0\0\x18ftyp${name}\0\0\0\0${name}\0\0\0\0`)
  return [
    bad('document.pdf.png', 'image/png', padded('%PDF-1.7\n'), /is a PDF document/),
    bad('archive.jpg', 'image/jpeg', ZIP_ARCHIVE, /is a ZIP archive/),
    bad('packed.mp4', 'video/mp4', gzipSync(SVG), /is compressed with gzip/),
    bad('program.mp4', 'video/mp4', padded('MZ\x90\0'), /is a program/),
    bad('program-elf.png', 'image/png', padded('\x7fELF'), /is a program/),
    bad('photo.heic', 'image/heic', brand('heic'), /is an HEIC image/),
    bad('heic-as.jpg', 'image/jpeg', brand('heic'), /is an HEIC image/),
    bad('photo.avif', 'image/avif', brand('avif'), /is an AVIF image/),
    bad('old.3gp', 'video/mp4', brand('3gp4'), /is a 3GP video/),
    bad('scan.tif', 'image/tiff', padded('II*\0'), /is a TIFF image/),
    bad('old.bmp', 'image/png', padded('BM'), /is a BMP image/),
    bad('old.avi', 'video/mp4', padded('RIFF\x10\0\0\0AVI LIST'), /is an AVI video/),
    bad('film.mkv', 'video/webm', padded('\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska'), /is Matroska, but not WebM/),
    bad('song.flac', 'audio/flac', padded('fLaC'), /is FLAC sound/),
  ]
}

async function otherPictures(): Promise<BadFile[]> {
  const gif = await testPicture().gif().toBuffer()
  const frames = testPicture(80, 160)
  const raw = await frames.raw().toBuffer()
  const { default: sharp } = await import('sharp')
  const moving = sharp(raw, { raw: { width: 80, height: 160, channels: 3, pageHeight: 80 } })
  const animated = await moving.webp({ loop: 0, delay: [100, 100] }).toBuffer()
  const png = await testPicture().png().toBuffer()
  const control = pngChunk('acTL', Buffer.from('0000000200000000', 'hex'))
  return [
    bad('picture.gif', 'image/gif', gif, /is a GIF image/),
    bad('gif-as.png', 'image/png', gif, /is a GIF image/),
    bad('gifar.gif', 'image/gif', Buffer.concat([gif, ZIP_ARCHIVE]), /is a GIF image/),
    bad('moving.webp', 'image/webp', animated, /is a WebP image that moves; allowed: still pictures/),
    bad(
      'moving.png',
      'image/png',
      Buffer.concat([png.subarray(0, 33), control, png.subarray(33)]),
      /a PNG image that moves/,
    ),
    bad(
      'tiny.png',
      'image/png',
      await testPicture(16, 16).png().toBuffer(),
      /16 × 16 pixels; allowed: sides of at least 64/,
    ),
  ]
}

function cutShort(whole: Readonly<Record<'jpeg' | 'png' | 'webp' | 'mp3' | 'wav', Buffer>>): BadFile[] {
  return Object.entries(whole).flatMap(([type, bytes]) =>
    [-1, -Math.floor(bytes.length / 2), 200 - bytes.length].map((cut) =>
      bad(
        `cut${cut}.${type}`,
        'application/octet-stream',
        bytes.subarray(0, cut),
        /is cut short; allowed: whole files/,
      ),
    ),
  )
}

async function cutShortMedia(): Promise<BadFile[]> {
  const made = {
    mp4: await videoBytes({ sound: 'silence' }),
    'index-last.mp4': await videoBytes({ format: 'mp4-index-last' }),
    mov: await videoBytes({ format: 'mov' }),
    webm: await videoBytes({ format: 'webm' }),
    m4a: await soundBytes({ format: 'm4a' }),
    aac: await soundBytes({ format: 'aac' }),
    ogg: await soundBytes({ format: 'ogg' }),
  }
  return Object.entries(made).flatMap(([type, bytes]) =>
    [-20, -Math.floor(bytes.length / 2), -Math.floor(bytes.length * 0.9)].map((cut) =>
      bad(`cut${cut}.${type}`, 'application/octet-stream', bytes.subarray(0, cut), /is cut short; allowed: whole/),
    ),
  )
}

function twoAtOnce({ jpeg, webp }: Readonly<Record<'jpeg' | 'webp', Buffer>>): BadFile[] {
  const comment = (text: string | Buffer) => {
    const content = Buffer.from(text)
    const start = Buffer.from([0xff, 0xfe, (content.length + 2) >> 8, (content.length + 2) & 0xff])
    return Buffer.concat([jpeg.subarray(0, 2), start, content, jpeg.subarray(2)])
  }
  const padding = Buffer.concat([
    Buffer.from('JUNK'),
    Buffer.from([ZIP_ARCHIVE.length, 0, 0, 0]),
    ZIP_ARCHIVE,
    Buffer.alloc(ZIP_ARCHIVE.length % 2),
  ])
  const grown = Buffer.concat([webp, padding])
  grown.writeUInt32LE(grown.length - 8, 4)
  return [
    bad('zip-inside.webp', 'image/webp', grown, /a WebP image and a ZIP archive at once/),
    bad('zip-in-comment.jpg', 'image/jpeg', comment(ZIP_ARCHIVE), /a JPEG image and a ZIP archive at once/),
    bad('pdf-in-comment.jpg', 'image/jpeg', comment('%PDF-1.4\n1 0 obj'), /a JPEG image and a PDF document at once/),
    bad('page-in-comment.jpg', 'image/jpeg', comment(PAGE), /a JPEG image and a page or a script at once/),
    bad('php-in-comment.jpg', 'image/jpeg', comment(`${'x'.repeat(2000)}<?php phpinfo(); ?>`), /with a script in it/),
  ]
}

function bombs({ jpeg, png, webp }: Readonly<Record<'jpeg' | 'png' | 'webp', Buffer>>): BadFile[] {
  const hugeJpeg = Buffer.from(jpeg)
  hugeJpeg.writeUInt32BE(0xffdc_ffdc, jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 5)
  const hugeWebp = Buffer.from(webp)
  hugeWebp.writeUInt32LE(0x3fff_3fff, webp.indexOf(Buffer.from([0x9d, 0x01, 0x2a])) + 3)
  const scan = jpeg.subarray(jpeg.indexOf(Buffer.from([0xff, 0xda])), -2)
  const scans = Buffer.concat([jpeg.subarray(0, -2), ...Array.from({ length: 200 }, () => scan), jpeg.subarray(-2)])
  const grains = Array.from({ length: 20_001 }, () => pngChunk('tEXt', Buffer.alloc(0)))
  const tooLarge = /pixels; allowed: (sides of at most 16383 pixels|at most 50331648 pixels in all)/
  const notes = Array.from({ length: 8 }, () =>
    pngChunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(20_000_000))])),
  )
  return [
    bad('claims-65535.png', 'image/png', emptyPng(65_535, 65_535, Buffer.alloc(100)), tooLarge),
    bad(
      'claims-more.png',
      'image/png',
      emptyPng(0x7fff_ffff, 0x7fff_ffff, Buffer.alloc(100)),
      /pixels; allowed|cannot be decoded/,
    ),
    bad('packed-144-megapixels.png', 'image/png', emptyPng(12_000, 12_000, Buffer.alloc(1501 * 12_000)), tooLarge),
    bad('claims-more-than-it-has.png', 'image/png', emptyPng(5000, 5000, Buffer.alloc(100)), /cannot be decoded/),
    bad('ribbon.png', 'image/png', emptyPng(20_000, 64, Buffer.alloc(2501 * 64)), tooLarge),
    bad('claims-65535.jpg', 'image/jpeg', hugeJpeg, tooLarge),
    bad('claims-16383.webp', 'image/webp', hugeWebp, tooLarge),
    bad('many-scans.jpg', 'image/jpeg', scans, /of more than 100 scans/),
    bad('unpacks.png', 'image/png', Buffer.concat([png.subarray(0, 33), ...notes, png.subarray(33, -1)]), /cut short/),
    bad(
      'many-chunks.png',
      'image/png',
      Buffer.concat([png.subarray(0, 33), ...grains, png.subarray(33)]),
      /of more than 20000 chunks/,
    ),
  ]
}

async function damaged({ jpeg, png }: Readonly<Record<'jpeg' | 'png', Buffer>>): Promise<BadFile[]> {
  const middle = Buffer.from(png)
  middle.fill(0x55, png.length / 2, png.length / 2 + 20)
  const converted = Buffer.from(png)
  converted.write('\n\x1a\n', 4, 'latin1')
  const scanned = Buffer.concat([jpeg.subarray(0, jpeg.length / 2), Buffer.from([0xff, 0xd9])])
  const wrongScan = Buffer.from(scanned)
  wrongScan.set([0, 0, 0], jpeg.indexOf(Buffer.from([0xff, 0xda])) + 11)
  const index = await videoBytes({})
  index.writeUInt32BE(0xffff_fff0, index.indexOf('stsz', 0, 'latin1') + 12)
  const silent = await videoBytes({ format: 'mov' })
  silent.write('soun', silent.indexOf('mhlrvide', 0, 'latin1') + 4, 'latin1')
  const mute = testWav()
  mute.writeUInt16LE(0x9999, 20)
  return [
    bad('damaged.png', 'image/png', middle, /a PNG image that is damaged/),
    bad('converted.png', 'image/png', converted, /damaged on its way/),
    bad('half.jpg', 'image/jpeg', scanned, /a JPEG image that is damaged/),
    bad('half-with-a-wrong-scan.jpg', 'image/jpeg', wrongScan, /a JPEG image that is damaged/),
    bad('impossible-index.mp4', 'video/mp4', index, /an MP4 video that is damaged/),
    bad('no-picture.mov', 'video/quicktime', silent, /a QuickTime video without a picture/),
    bad('unknown-codec.wav', 'audio/wav', mute, /WAV sound that is damaged/),
    bad('no-sound.wav', 'audio/wav', testWav(0), /WAV sound of no length/),
    bad('long.wav', 'audio/wav', slowWav(), /WAV sound of 8000 s; allowed: at most 600 s/),
  ]
}

/** As many samples as the second of the other, played at one a second. */
function slowWav(): Buffer {
  const wav = testWav()
  wav.writeUInt32LE(1, 24)
  return wav
}

/** A chunk of a PNG, with its checksum. */
export function pngChunk(type: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const body = Buffer.concat([Buffer.from(type), content])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

/** A black picture of one bit a pixel, whole but for what `rows` lacks. */
function emptyPng(width: number, height: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.writeUInt8(1, 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(rows)), pngChunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([signature, ...chunks])
}
