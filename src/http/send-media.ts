import type { FastifyReply, FastifyRequest } from 'fastify'
import { readRange } from '../media/byte-range.ts'
import { isNotModified, isOtherVersion, mayAnswerRange, type Validators } from '../media/preconditions.ts'
import type { ServedMedia } from '../media/queries.ts'
import type { Store } from '../media/store.ts'

/** What is to be sent, and to whom. */
export interface Sending {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly media: ServedMedia
  /** The name under which a browser saves it. */
  readonly fileName: string
  readonly store: Pick<Store, 'open'>
  /** Seconds for which the client may keep it. */
  readonly secondsLeft: number
}

/**
 * Sends a file: whole, a part of it, or that it has not changed, or is not the version that was asked for. Fastify pipes
 * the file with back pressure and destroys it, which closes its descriptor, when the client leaves. The bytes go out as
 * they lie in the store: video is compressed already.
 */
export async function sendMedia(sending: Sending): Promise<FastifyReply> {
  const { request, reply, media, store } = sending
  const { sizeBytes, storeKey } = media
  const validators = { etag: `"${media.sha256.toString('base64url')}"`, lastModified: media.createdAt }
  const headers = describe(sending, validators)
  if (isOtherVersion(request.headers, validators)) return refuseVersion(reply, validators)
  if (isNotModified(request.headers, validators)) return reply.code(304).headers(headers).send()
  // Ranges are defined for GET alone (RFC 9110, 14.2); HEAD tells the whole length.
  if (request.method === 'HEAD') return reply.headers({ ...headers, 'content-length': sizeBytes }).send()
  const range = mayAnswerRange(ifRangeOf(request), validators)
    ? readRange(request.headers.range, sizeBytes)
    : ({ kind: 'whole' } as const)
  // Opened before the headers are set: should the file be missing, the error must not go out under them.
  switch (range.kind) {
    case 'unsatisfiable':
      return refuseRange(reply, sizeBytes, `the file has ${sizeBytes} bytes`)
    case 'part': {
      const { start, end } = range.span
      const part = await store.open(storeKey, range.span)
      const extent = { 'content-range': `bytes ${start}-${end}/${sizeBytes}`, 'content-length': end - start + 1 }
      return reply
        .code(206)
        .headers({ ...headers, ...extent })
        .send(part)
    }
    case 'whole': {
      const whole = await store.open(storeKey)
      return reply.headers({ ...headers, 'content-length': sizeBytes }).send(whole)
    }
  }
}

function refuseVersion(reply: FastifyReply, { etag }: Validators): FastifyReply {
  const headers = { etag, 'cache-control': 'no-store' }
  return reply
    .code(412)
    .headers(headers)
    .send({ error: `the file is of another version: ${etag}` })
}

function refuseRange(reply: FastifyReply, sizeBytes: number, error: string): FastifyReply {
  const headers = { 'content-range': `bytes */${sizeBytes}`, 'cache-control': 'no-store' }
  return reply.code(416).headers(headers).send({ error })
}

/** Headers that are equal for the whole file, a part of it, and “not modified”. */
function describe({ media, fileName, secondsLeft }: Sending, validators: Validators): Record<string, string> {
  return {
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${secondsLeft}`,
    'content-disposition': `inline; filename="${fileName}"`,
    'content-type': media.mimeType,
    etag: validators.etag,
    'last-modified': validators.lastModified.toUTCString(),
  }
}

function ifRangeOf(request: FastifyRequest): string | undefined {
  const header = request.headers['if-range']
  return typeof header === 'string' ? header : undefined
}
