import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
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
  return {
    role,
    fileId,
    kind,
    mimeType: MIME_TYPES[kind],
    sizeBytes: SAMPLE_BYTES,
    sha256: createHash('sha256').update(sampleBytes(fileId, SAMPLE_BYTES)).digest('hex'),
    storeKey: `${fileId}/${kind}`,
    ...(kind === 'audio' ? {} : { width: 640, height: 480 }),
    ...(kind === 'image' ? {} : { durationSeconds: 6 }),
    ...over,
  }
}

/** Bytes that look like no text, the same for the same name. */
export function sampleBytes(name: string, sizeBytes = SAMPLE_BYTES): Buffer {
  const block = createHash('sha512').update(name).digest()
  return Buffer.alloc(sizeBytes, block)
}

export const openSample: OpenReference = async ({ fileId, sizeBytes }) =>
  Readable.from([sampleBytes(fileId, sizeBytes)])

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
