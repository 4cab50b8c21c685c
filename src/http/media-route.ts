/**
 * `/media/<file>`: the bytes behind signed links, for players, browsers and download tools. The link is the credential;
 * there is no key, so an error tells no more than the link's holder may know.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Queryable } from '../db/database.ts'
import { selectServedFile } from '../files/queries.ts'
import { linkTargetOf, type MediaLinks, readLinkQuery, type SignedFile } from '../media/links.ts'
import { type ServedMedia, selectServedMedia } from '../media/queries.ts'
import type { Store } from '../media/store.ts'
import { sendMedia } from './send-media.ts'

export interface MediaRoute {
  readonly db: Queryable
  readonly store: Pick<Store, 'open'>
  readonly links: MediaLinks
}

/** Headers that a page of another origin may read; the rest of what players need is safelisted. */
const EXPOSED_HEADERS = 'Accept-Ranges, Content-Length, Content-Range, ETag'

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
      const found = await findServed(db, link)
      if (found === undefined) return refuse(reply, 404, 'not found')
      const { media, words } = found
      if (media.state === 'deleted') return refuse(reply, 410, words.deleted)
      if (verdict === 'expired') return refuse(reply, 410, words.expired)
      return sendMedia({ request, reply, media, fileName: link.file, store, secondsLeft: links.secondsLeft(link) })
    },
  })
}

function linkOf(request: FastifyRequest<MediaRequest>): (SignedFile & { signature: string }) | undefined {
  const query = readLinkQuery(request.query)
  return query === undefined ? undefined : { file: request.params.file, ...query }
}

/** What is said of what a task produced, and of what a customer brought. */
const WORDS = {
  media: { deleted: 'deleted by retention', expired: 'link expired, read the task again for a fresh one' },
  file: {
    deleted: 'the file has expired or was deleted',
    expired: 'link expired, read the file again for a fresh one',
  },
} as const

interface FoundFile {
  readonly media: ServedMedia
  readonly words: (typeof WORDS)[keyof typeof WORDS]
}

async function findServed(db: Queryable, link: SignedFile): Promise<FoundFile | undefined> {
  const target = linkTargetOf(link)
  if (target === undefined) return undefined
  const media = target.kind === 'file' ? await selectServedFile(db, target.id) : await selectServedMedia(db, target.id)
  return media === undefined ? undefined : { media, words: WORDS[target.kind] }
}

function refuse(reply: FastifyReply, status: 404 | 410, error: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send({ error })
}
