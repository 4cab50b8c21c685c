/**
 * Content codings (RFC 9110, 8.4) of answers: what came compressed is given out plain, whether or not it was asked for. A
 * few compressed bytes can become gigabytes, so every layer has a limit on what comes out of it.
 */
import { type Duplex, pipeline, Readable } from 'node:stream'
import zlib from 'node:zlib'
import { FetchError } from './fetch-error.ts'

/** A proxy may compress again what its server has compressed; more layers than that are an attack. */
const MAX_CODINGS = 2

/** A zlib stream says so in the lower half of its first byte (RFC 1950, 2.2); many servers send `deflate` without it. */
const ZLIB_METHOD = 8

/** Characters of an unknown coding that a message shows. */
const SHOWN_CHARACTERS = 40

/** Makes a decoder for bytes that begin with `firstByte`. */
type MakeDecoder = (firstByte: number) => Duplex

const DECODERS: ReadonlyMap<string, MakeDecoder> = new Map<string, MakeDecoder>([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  ['deflate', (firstByte) => ((firstByte & 0x0f) === ZLIB_METHOD ? zlib.createInflate() : zlib.createInflateRaw())],
  ['br', () => zlib.createBrotliDecompress()],
  ...zstdDecoder(),
])

/** Node has zstd since 22.15 and 23.8. */
function zstdDecoder(): [string, MakeDecoder][] {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  return typeof create === 'function' ? [['zstd', () => create()]] : []
}

/** The codings of a body in the order in which they were applied; none for `identity`. */
export function codingsOf(contentEncoding: string | undefined): readonly string[] {
  return (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
}

export interface CodedBody {
  readonly body: Readable
  /** The header `Content-Encoding`, as it came. */
  readonly contentEncoding: string | undefined
  /** Bytes that may come out of the body, and of each layer of its codings. */
  readonly maxBytes: number
}

/**
 * The bytes of a body without its codings.
 * @throws FetchError `too_large` beyond the limit; `bad_answer` for a coding that is not known, for too many of them, and
 *   for a body that is damaged or ends early; whatever the body itself throws.
 */
export async function* withoutCodings({ body, contentEncoding, maxBytes }: CodedBody): AsyncGenerator<Buffer> {
  const codings = codingsOf(contentEncoding)
  if (codings.length > MAX_CODINGS) {
    throw badAnswer(`The answer has ${codings.length} content codings; allowed: at most ${MAX_CODINGS}.`)
  }
  let plain = limited(body, maxBytes)
  for (const coding of codings.toReversed()) plain = decoded(plain, coding, maxBytes)
  yield* plain
}

async function* decoded(coded: AsyncGenerator<Buffer>, coding: string, maxBytes: number): AsyncGenerator<Buffer> {
  const makeDecoder = DECODERS.get(coding)
  if (makeDecoder === undefined) throw unknownCoding(coding)
  const { value: first } = await coded.next()
  // Servers name a coding with empty bodies, too, which no decoder takes.
  if (first === undefined) return
  const decoder = makeDecoder(first[0] ?? 0)
  // Errors of either arrive at whoever reads the decoder; the callback has nothing to add.
  pipeline(Readable.from(joined(first, coded)), decoder, () => {})
  try {
    yield* limited(decoder, maxBytes)
  } catch (error) {
    throw isDamage(error) ? badAnswer(`The answer is not whole ${coding}, as it claims to be.`, error) : error
  }
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}

async function* limited(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a body is bytes')
    bytes += chunk.length
    if (bytes > maxBytes)
      throw new FetchError('too_large', `The answer is larger than ${maxBytes} bytes.`, { sent: 'maybe' })
    yield chunk
  }
}

/** Node's codes for bytes that a decoder can make no sense of, or that end too early. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ZSTD_|ERR__ERROR_|ERR_ZSTD)/.test(String(error.code))
}

function unknownCoding(coding: string): FetchError {
  const [shown, known] = [JSON.stringify(coding.slice(0, SHOWN_CHARACTERS)), [...DECODERS.keys()].join(', ')]
  return badAnswer(`The answer has the content coding ${shown}, which is not known here; known: ${known}.`)
}

function badAnswer(message: string, cause?: unknown): FetchError {
  return new FetchError('bad_answer', message, { sent: 'maybe', cause })
}
