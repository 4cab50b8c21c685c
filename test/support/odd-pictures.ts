/** Pictures of 160 × 90 pixels with mistakes beside the pixels: every viewer shows them whole. */
import { pngChunk } from './bad-files.ts'
import { testPicture } from './good-files.ts'

const END_OF_IMAGE = Buffer.from([0xff, 0xd9])

/** By what is odd about them. */
export async function oddPictures(): Promise<Readonly<Record<string, Buffer>>> {
  const jpeg = await testPicture().jpeg().toBuffer()
  const progressive = await testPicture().jpeg({ progressive: true }).toBuffer()
  const profiled = await testPicture().withIccProfile('p3').jpeg().toBuffer()
  const cmyk = await testPicture().toColourspace('cmyk').jpeg().toBuffer()
  const png = await testPicture().png().toBuffer()
  const webp = await testPicture().withMetadata({ orientation: 1 }).webp().toBuffer()
  return {
    'a scan header of no coefficients': withScan(jpeg, [0, 0, 0]),
    'bytes before the end marker': Buffer.concat([jpeg.subarray(0, -2), Buffer.from('\0\0\0\0'), END_OF_IMAGE]),
    'bytes between the segments': betweenSegments(jpeg, Buffer.from('\0\0\0')),
    'fill bytes before a marker': Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xff]), jpeg.subarray(2)]),
    'an unknown version of JFIF': withSegment(jpeg, 0xe0, Buffer.from('JFIF\0\x09\x09\0\0\x01\0\x01\0\0', 'latin1')),
    'a broken EXIF': withSegment(jpeg, 0xe1, Buffer.from('Exif\0\0II*\0\xff\xff\xff\xff\x12\x01', 'latin1')),
    'an empty EXIF': withSegment(jpeg, 0xe1, Buffer.from('Exif\0\0')),
    'two kinds of EXIF': withSegment(
      withSegment(jpeg, 0xe1, Buffer.from('Exif\0\0MM\0*')),
      0xe1,
      Buffer.from('http://x\0'),
    ),
    'an unknown transform of Adobe': withSegment(jpeg, 0xee, Buffer.from('Adobe\0d\0\0\0\0\x09', 'latin1')),
    'a broken colour profile': spoilt(
      profiled,
      'ICC_PROFILE\0',
      14,
      Array.from({ length: 200 }, () => 0xee),
    ),
    'a colour profile of which parts are missing': spoilt(profiled, 'ICC_PROFILE\0', 12, [1, 7]),
    'CMYK with a wrong scan header': withScan(cmyk, [0, 0, 0]),
    'progressive with notes': withSegment(progressive, 0xfe, Buffer.alloc(60_000, 'x')),
    'a wrong checksum of a note': withChunk(png, wrongSum(pngChunk('tEXt', Buffer.from('a\0b')))),
    'a wrong checksum of a date': withChunk(png, wrongSum(pngChunk('tIME', Buffer.alloc(7, 1)))),
    'a broken profile in a PNG': withChunk(png, pngChunk('iCCP', Buffer.from('a\0\0not packed at all'))),
    'a broken EXIF in a PNG': withChunk(png, pngChunk('eXIf', Buffer.from('II*\0\xff\xff\xff\xff', 'latin1'))),
    'an unknown chunk': withChunk(png, pngChunk('zzZz', Buffer.from('anything'))),
    'a size in a PNG that makes no sense': withChunk(png, pngChunk('pHYs', Buffer.alloc(3))),
    'notes in a WebP': webp,
  }
}

/** Behind the first segment: a picture begins with a marker. */
function betweenSegments(jpeg: Buffer, bytes: Buffer): Buffer {
  const end = 4 + jpeg.readUInt16BE(4)
  return Buffer.concat([jpeg.subarray(0, end), bytes, jpeg.subarray(end)])
}

function withSegment(jpeg: Buffer, marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 0xff])
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)])
}

/** The last three bytes of the header of the first scan. */
function withScan(jpeg: Buffer, last: readonly number[]): Buffer {
  const odd = Buffer.from(jpeg)
  const at = odd.indexOf(Buffer.from([0xff, 0xda]))
  odd.set(last, at + 2 + odd.readUInt16BE(at + 2) - 3)
  return odd
}

function spoilt(bytes: Buffer, after: string, offset: number, by: readonly number[]): Buffer {
  const odd = Buffer.from(bytes)
  const at = odd.indexOf(after, 0, 'latin1')
  if (at === -1) throw new Error(`there is no ${after} to spoil`)
  odd.set(by, at + offset)
  return odd
}

/** Behind the header. */
function withChunk(png: Buffer, chunk: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)])
}

function wrongSum(chunk: Buffer): Buffer {
  const odd = Buffer.from(chunk)
  odd.writeUInt32BE(0x12345678, odd.length - 4)
  return odd
}
