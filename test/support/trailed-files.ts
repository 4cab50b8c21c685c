/** Good files with something behind their end, as cameras, programs and attackers leave it there. */
import { PAGE, ZIP_ARCHIVE } from './bad-files.ts'
import { type GoodFile, goodFiles } from './good-files.ts'

export interface TrailedFile extends GoodFile {
  /** Without what is behind: what is kept. */
  readonly content: Buffer
}

/** Notes of a camera as Samsung writes them: entries, then a table of them, whose length stands before the last word. */
const CAMERA_NOTES = Buffer.concat([
  Buffer.from('\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1700000000000', 'latin1'),
  Buffer.from('SEFHj\0\0\0\x01\0\0\0\0\0\x01\x0a\x23\0\0\0\x23\0\0\0\x18\0\0\0SEFT', 'latin1'),
])

function box(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(8 + content.length)
  header.write(type, 4, 'latin1')
  return Buffer.concat([header, content])
}

/** Each good file of each type with each trailer. A WebM of unknown length has no end, and none of these. */
export async function trailedFiles(): Promise<TrailedFile[]> {
  const good = await goodFiles()
  const bytesOf = (mimeType: string) => good.find((file) => file.mimeType === mimeType)?.bytes ?? Buffer.alloc(0)
  const trailers: Readonly<Record<string, Buffer>> = {
    'a line break': Buffer.from('\n'),
    'a line break of Windows': Buffer.from('\r\n'),
    zeros: Buffer.alloc(512),
    'three bytes': Buffer.from('<a>'),
    words: Buffer.from('hello and some more words'),
    'a page': Buffer.from(PAGE),
    'an archive': ZIP_ARCHIVE,
    'notes of a camera': CAMERA_NOTES,
    'a film': bytesOf('video/mp4'),
    'another picture': bytesOf('image/jpeg'),
    'half a picture': bytesOf('image/jpeg').subarray(0, -100),
    padding: Buffer.concat([box('free', Buffer.alloc(100_000)), box('skip', ZIP_ARCHIVE)]),
    'half of some padding': box('free', Buffer.alloc(1_000)).subarray(0, 500),
  }
  return good.flatMap((file) =>
    Object.entries(trailers)
      .filter(([trailer]) => !(file.mimeType.endsWith('/mp4') && trailer === 'a film'))
      .filter(([trailer]) => !(file.mimeType === 'video/quicktime' && trailer === 'a film'))
      .map(([trailer, behind]) => ({
        ...file,
        name: `${file.name} with ${trailer} behind`,
        bytes: Buffer.concat([file.bytes, behind]),
        content: file.bytes,
      })),
  )
}
