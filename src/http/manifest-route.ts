/**
 * What confirms a video: `/media/<video>/manifest.json`, its signed manifest, for whoever holds the link to the video and
 * under the same signature; and the key to verify it with, for everybody, at `/.well-known/reelay-signing-key.json`.
 */
import type { KeyObject } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Queryable } from '../db/database.ts'
import { linkTargetOf, type MediaLinks, readLinkQuery, type SignedFile } from '../media/links.ts'
import { publicKeyDocument } from '../media/public-key.ts'
import { type ServedMedia, selectManifestOf, selectServedMedia } from '../media/queries.ts'
import type { Store } from '../media/store.ts'
import { sendMedia } from './send-media.ts'

export interface ManifestRoute {
  readonly db: Queryable
  readonly store: Pick<Store, 'open'>
  readonly links: MediaLinks
  /** With which this installation's manifests are verified. */
  readonly publicKey: KeyObject
}

/** The key stays the same as long as the installation does; an hour, so that a restored backup is not doubted for long. */
const KEY_CACHE_SECONDS = 3_600

/** For pages of any origin: a viewer of videos may want to confirm them. */
const OPEN_HEADERS = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
}

interface ManifestRequest {
  Params: { file: string }
  Querystring: { expires?: unknown; signature?: unknown }
}

/** Mounts GET and HEAD of a video's manifest and of the public key. */
export function mountManifest(app: FastifyInstance, { db, store, links, publicKey }: ManifestRoute): void {
  const keyDocument = publicKeyDocument(publicKey)
  app.route<ManifestRequest>({
    method: ['GET', 'HEAD'],
    url: '/media/:file/manifest.json',
    handler: async (request, reply) => {
      reply.headers(OPEN_HEADERS)
      const link = linkOf(request)
      const verdict = link === undefined ? 'forged' : links.check(link)
      if (link === undefined || verdict === 'forged') return refuse(reply, 404, 'not found')
      const media = await findManifest(db, link)
      if (media === undefined) return refuse(reply, 404, 'not found')
      if (media.state === 'deleted') return refuse(reply, 410, 'deleted by retention')
      if (verdict === 'expired') return refuse(reply, 410, 'link expired, read the task again for a fresh one')
      return sendMedia({
        request,
        reply,
        media,
        fileName: 'manifest.json',
        store,
        secondsLeft: links.secondsLeft(link),
      })
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/.well-known/reelay-signing-key.json',
    handler: async (_request, reply) =>
      reply.headers({ ...OPEN_HEADERS, 'cache-control': `public, max-age=${KEY_CACHE_SECONDS}` }).send(keyDocument),
  })
}

function linkOf(request: FastifyRequest<ManifestRequest>): (SignedFile & { signature: string }) | undefined {
  const query = readLinkQuery(request.query)
  return query === undefined ? undefined : { file: request.params.file, ...query }
}

/** `undefined` for what has none: a poster, and what a customer brought. */
async function findManifest(db: Queryable, link: SignedFile): Promise<ServedMedia | undefined> {
  const target = linkTargetOf(link)
  const id = target?.kind === 'media' ? await selectManifestOf(db, target.id) : undefined
  return id === undefined ? undefined : await selectServedMedia(db, id)
}

function refuse(reply: FastifyReply, status: 404 | 410, error: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send({ error })
}
