/** One small good file of each type that is taken. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { type TestSound, writeTestSound } from './test-sound.ts'
import { type TestVideo, writeTestVideo } from './test-video.ts'

export interface GoodFile {
  readonly name: string
  readonly mimeType: string
  readonly bytes: Buffer
  /** Of pictures and videos. */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Of videos and sound. */
  readonly durationSeconds: number | undefined
}

/** A picture with enough detail that its file is not all headers. */
export function testPicture(width = 160, height = 90): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = (at * 31 + (at >> 5) * 7) & 0xff
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** Silence of 16 bits in mono, at 8000 samples a second. */
export function testWav(seconds = 1): Buffer {
  const samples = Buffer.alloc(seconds * 16_000)
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(16_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}

/** Frames of silence: MPEG-1 layer III, 128 kbit/s at 44.1 kHz, 417 bytes and 1152 samples each. */
export function testMp3(frames = 50): Buffer {
  const frame = Buffer.alloc(417)
  frame.writeUInt32BE(0xfffb9000)
  return Buffer.concat(Array.from({ length: frames }, () => frame))
}

export async function videoBytes(video: Omit<TestVideo, 'path'>): Promise<Buffer> {
  return written((path) => writeTestVideo({ path, durationSeconds: 1, ...video }))
}

export async function soundBytes(sound: Omit<TestSound, 'path'>): Promise<Buffer> {
  return written((path) => writeTestSound({ path, ...sound }))
}

async function written(write: (path: string) => Promise<string>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-good-files-'))
  try {
    return await readFile(await write(join(folder, 'made')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const PICTURE = { width: 160, height: 90, durationSeconds: undefined }
const VIDEO = { width: 160, height: 90, durationSeconds: 1 }
const SOUND = { width: undefined, height: undefined }

/** Makes one small good file of each type that is taken. */
export async function goodFiles(): Promise<GoodFile[]> {
  const picture = testPicture()
  return [
    { name: 'good.jpg', mimeType: 'image/jpeg', bytes: await picture.clone().jpeg().toBuffer(), ...PICTURE },
    { name: 'good.png', mimeType: 'image/png', bytes: await picture.clone().png().toBuffer(), ...PICTURE },
    { name: 'good.webp', mimeType: 'image/webp', bytes: await picture.clone().webp().toBuffer(), ...PICTURE },
    { name: 'good.mp4', mimeType: 'video/mp4', bytes: await videoBytes({ sound: 'silence' }), ...VIDEO },
    { name: 'good.mov', mimeType: 'video/quicktime', bytes: await videoBytes({ format: 'mov' }), ...VIDEO },
    { name: 'good.webm', mimeType: 'video/webm', bytes: await videoBytes({ format: 'webm' }), ...VIDEO },
    { name: 'good.mp3', mimeType: 'audio/mpeg', bytes: testMp3(), ...SOUND, durationSeconds: 1.306 },
    { name: 'good.wav', mimeType: 'audio/wav', bytes: testWav(), ...SOUND, durationSeconds: 1 },
    {
      name: 'good.m4a',
      mimeType: 'audio/mp4',
      bytes: await soundBytes({ format: 'm4a' }),
      ...SOUND,
      durationSeconds: 1.003,
    },
    {
      name: 'good.aac',
      mimeType: 'audio/aac',
      bytes: await soundBytes({ format: 'aac' }),
      ...SOUND,
      durationSeconds: 1.024,
    },
    {
      name: 'good.ogg',
      mimeType: 'audio/ogg',
      bytes: await soundBytes({ format: 'ogg' }),
      ...SOUND,
      durationSeconds: 1,
    },
  ]
}
