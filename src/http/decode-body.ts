/**
 * Undoes the content codings of a request's body (RFC 9110, 8.4). Some clients compress every body. What comes out counts
 * against the same limits as a body that is sent as it is: the reader of the body stops at its limit, so a few bytes that
 * unpack to gigabytes cost no more than the limit.
 */
import type { IncomingMessage } from 'node:http'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../canonical/refusal.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** What a refusal offers: the codings under their usual names (RFC 9110, 12.5.3). */
const TAKEN = 'gzip, deflate, br'

/** A body is compressed once; some proxies do it again. */
const MAX_CODINGS = 2

/** Bytes of a body as it is read; `NaN` where its `Content-Length` does not say, as that of an encoded body does not. */
export function knownLength({ headers }: Pick<IncomingMessage, 'headers'>): number {
  return codingsOf(headers['content-encoding']).length > 0 ? Number.NaN : Number(headers['content-length'])
}

/**
 * The body as it was before it was encoded.
 * @throws Refusal `unsupported_media_type` for a coding that is not known; reading throws `malformed_body` for a body that is
 * not in the coding that it names
 */
export function decodeBody(request: FastifyRequest, reply: FastifyReply, payload: Readable): Readable {
  const codings = codingsOf(request.headers['content-encoding'])
  if (codings.length === 0) return payload
  const decoders = codings.map((coding) => (Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined)?.())
  const unknown = codings.find((_, index) => decoders[index] === undefined)
  if (unknown !== undefined || codings.length > MAX_CODINGS) {
    reply.header('accept-encoding', TAKEN)
    const found =
      unknown === undefined ? `${codings.length} codings` : `the coding ${JSON.stringify(unknown.slice(0, 40))}`
    const message = `The body is in ${found} (Content-Encoding); allowed: up to ${MAX_CODINGS} of ${TAKEN}.`
    throw new Refusal('unsupported_media_type', message)
  }
  // The last coding was applied last.
  const chain = decoders.filter((decoder) => decoder !== undefined).reverse()
  let encodedBytes = 0
  payload.on('data', (chunk: Buffer) => {
    encodedBytes += chunk.length
  })
  for (const [index, decoder] of chain.entries())
    pipeline(index === 0 ? payload : (chain[index - 1] ?? payload), decoder, () => {})
  const decoded = Readable.from(chunksOf(chain.at(-1) ?? payload, codings.join(', ')), { objectMode: false })
  // Fastify compares it with the Content-Length.
  Object.defineProperty(decoded, 'receivedEncodedLength', { get: () => encodedBytes })
  return decoded
}

async function* chunksOf(decoded: Readable, codings: string): AsyncGenerator<Buffer> {
  try {
    yield* decoded
  } catch (cause) {
    throw new Refusal('malformed_body', `The body is not in the coding that its Content-Encoding names: ${codings}.`, {
      cause,
    })
  }
}

function codingsOf(header: string | undefined): string[] {
  const names = (header ?? '').split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}
