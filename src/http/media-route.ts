/**
 * `/media/<file>`: the bytes behind signed links, for players, browsers and download tools. The link is the credential;
 * there is no key, so an error tells no more than the link's holder may know.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseId } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import { readRange } from '../media/byte-range.ts'
import type { MediaLinks, SignedFile } from '../media/links.ts'
import { isNotModified, mayAnswerRange, type Validators } from '../media/preconditions.ts'
import { type ServedMedia, selectServedMedia } from '../media/queries.ts'
import type { Store } from '../media/store.ts'

export interface MediaRoute {
  readonly db: Queryable
  readonly store: Pick<Store, 'open'>
  readonly links: MediaLinks
}

/** Headers that a page of another origin may read; the rest of what players need is safelisted. */
const EXPOSED_HEADERS = 'Accept-Ranges, Content-Length, Content-Range, ETag'

/** Exactly as a link of ours writes it, so that one link has one spelling. */
const EXPIRES = /^[1-9]\d{0,11}$/

interface MediaRequest {
  Params: { file: string }
  Querystring: { expires?: unknown; signature?: unknown }
}

/** Mounts GET and HEAD of `/media/:file`. */
export function mountMedia(app: FastifyInstance, { db, store, links }: MediaRoute): void {
  app.route<MediaRequest>({
    method: ['GET', 'HEAD'],
    url: '/media/:file',
    handler: async (request, reply) => {
      reply.headers({
        'access-control-allow-origin': '*',
        'access-control-expose-headers': EXPOSED_HEADERS,
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      })
      const link = linkOf(request)
      const verdict = link === undefined ? 'forged' : links.check(link)
      if (link === undefined || verdict === 'forged') return refuse(reply, 404, 'not found')
      const id = parseId('med', link.file.replace(/\.[^.]*$/, ''))
      const media = id === undefined ? undefined : await selectServedMedia(db, id)
      if (media === undefined) return refuse(reply, 404, 'not found')
      if (media.state === 'deleted') return refuse(reply, 410, 'deleted by retention')
      if (verdict === 'expired') return refuse(reply, 410, 'link expired, read the task again for a fresh one')
      return send({ request, reply, media, link, store, secondsLeft: links.secondsLeft(link) })
    },
  })
}

function linkOf(request: FastifyRequest<MediaRequest>): (SignedFile & { signature: string }) | undefined {
  const { expires, signature } = request.query
  if (typeof expires !== 'string' || typeof signature !== 'string' || !EXPIRES.test(expires)) return undefined
  return { file: request.params.file, expires: Number(expires), signature }
}

function refuse(reply: FastifyReply, status: 404 | 410 | 416, error: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send({ error })
}

interface Sending {
  readonly request: FastifyRequest<MediaRequest>
  readonly reply: FastifyReply
  readonly media: ServedMedia
  readonly link: SignedFile
  readonly store: Pick<Store, 'open'>
  readonly secondsLeft: number
}

/**
 * Fastify pipes the file with back pressure and destroys it, which closes its descriptor, when the client leaves. The
 * bytes go out as they lie in the store: video is compressed already.
 */
async function send(sending: Sending): Promise<FastifyReply> {
  const { request, reply, media, store } = sending
  const { sizeBytes, storeKey } = media
  const validators = { etag: `"${media.sha256.toString('base64url')}"`, lastModified: media.createdAt }
  const headers = describe(sending, validators)
  if (isNotModified(request.headers, validators)) return reply.code(304).headers(headers).send()
  // Ranges are defined for GET alone (RFC 9110, 14.2); HEAD tells the whole length.
  if (request.method === 'HEAD') return reply.headers({ ...headers, 'content-length': sizeBytes }).send()
  const range = mayAnswerRange(ifRangeOf(request), validators)
    ? readRange(request.headers.range, sizeBytes)
    : ({ kind: 'whole' } as const)
  // Opened before the headers are set: should the file be missing, the error must not go out under them.
  switch (range.kind) {
    case 'unsatisfiable':
      return refuse(reply.header('content-range', `bytes */${sizeBytes}`), 416, `the file has ${sizeBytes} bytes`)
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

/** Headers that are equal for the whole file, a part of it, and “not modified”. */
function describe({ media, link, secondsLeft }: Sending, validators: Validators): Record<string, string> {
  return {
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${secondsLeft}`,
    'content-disposition': `inline; filename="${link.file}"`,
    'content-type': media.mimeType,
    etag: validators.etag,
    'last-modified': validators.lastModified.toUTCString(),
  }
}

function ifRangeOf(request: FastifyRequest): string | undefined {
  const header = request.headers['if-range']
  return typeof header === 'string' ? header : undefined
}
