/**
 * `/media/<file>`: the bytes behind signed links, for players, browsers and download tools. The link is the credential;
 * there is no key, so an error tells no more than the link's holder may know.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseId } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { MediaLinks, SignedFile } from '../media/links.ts'
import { selectServedMedia } from '../media/queries.ts'
import type { Store } from '../media/store.ts'
import { sendMedia } from './send-media.ts'

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
      return sendMedia({ request, reply, media, fileName: link.file, store, secondsLeft: links.secondsLeft(link) })
    },
  })
}

function linkOf(request: FastifyRequest<MediaRequest>): (SignedFile & { signature: string }) | undefined {
  const { expires, signature } = request.query
  if (typeof expires !== 'string' || typeof signature !== 'string' || !EXPIRES.test(expires)) return undefined
  return { file: request.params.file, expires: Number(expires), signature }
}

function refuse(reply: FastifyReply, status: 404 | 410, error: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send({ error })
}
