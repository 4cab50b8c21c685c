import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32, deflateSync } from 'node:zlib'
import type { GenerationRequest } from '../../src/canonical/generation.ts'
import { newId } from '../../src/canonical/ids.ts'
import type { Reference, ReferenceKind, ReferenceRole } from '../../src/canonical/reference.ts'
import type { OpenReference, StartContext } from '../../src/providers/provider.ts'

/** A request that every provider takes: 6 s of 480p, wide unless told otherwise. */
export function sampleRequest(over: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'a kitten chases a butterfly — «été» 🦋',
    durationSeconds: 6,
    resolution: '480p',
    aspectRatio: '1:1',
    mode: 'normal',
    seed: 1_234_567,
    ...over,
  }
}

const MIME_TYPES: Readonly<Record<ReferenceKind, string>> = {
  image: 'image/png',
  video: 'video/mp4',
  audio: 'audio/mpeg',
}

/** More than one chunk of a stream, and no multiple of three, as base64 shows. */
const SAMPLE_BYTES = 100_001

/** A reference whose bytes `openSample` gives; each of a different content. */
export function sampleReference(role: ReferenceRole, kind: ReferenceKind, over: Partial<Reference> = {}): Reference {
  const fileId = newId('file')
  const bytes = kind === 'image' ? samplePicture(fileId) : sampleBytes(fileId, SAMPLE_BYTES)
  return {
    role,
    fileId,
    kind,
    mimeType: MIME_TYPES[kind],
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    storeKey: `${fileId}/${kind}`,
    ...(kind === 'audio' ? {} : PICTURE_SIZE),
    ...(kind === 'image' ? {} : { durationSeconds: 6 }),
    ...over,
  }
}

/** Bytes that look like no text, the same for the same name. */
export function sampleBytes(name: string, sizeBytes = SAMPLE_BYTES): Buffer {
  const block = createHash('sha512').update(name).digest()
  return Buffer.alloc(sizeBytes, block)
}

/** The colour of a sample's picture: another for each name. */
export function sampleColour(name: string): readonly [red: number, green: number, blue: number] {
  const [red = 0, green = 0, blue = 0] = createHash('sha256').update(name).digest()
  return [red, green, blue]
}

const PICTURE_SIZE = { width: 640, height: 480 }

/** A PNG of one colour, uncompressed: more than one chunk of a stream. */
export function samplePicture(name: string): Buffer {
  const { width, height } = PICTURE_SIZE
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * width, Buffer.from(sampleColour(name)))])
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0])
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => line)), { level: 0 })
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, content: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(checked))
  return Buffer.concat([length, checked, sum])
}

export const openSample: OpenReference = async ({ kind, fileId, sizeBytes }) =>
  Readable.from([kind === 'image' ? samplePicture(fileId) : sampleBytes(fileId, sizeBytes)])

/** What a provider is started with: nothing is kept, for nothing is repeated. */
export function startContext(over: Partial<StartContext> = {}): StartContext {
  return {
    token: newId('att'),
    keep: async () => {},
    openReference: openSample,
    signal: AbortSignal.timeout(10_000),
    ...over,
  }
}
