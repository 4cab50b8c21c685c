import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../canonical/refusal.ts'
import type { TaskMedia } from '../canonical/task.ts'
import type { WireAnswer } from '../dialects/dialect.ts'
import { endingOf } from '../media/media-types.ts'
import { selectServedMedia } from '../media/queries.ts'
import type { Platform } from './platform.ts'
import { sendMedia } from './send-media.ts'

/** Content behind a key may be kept by the client alone, and not for long: the key may be revoked. */
const KEEP_CONTENT_SECONDS = 300

/** Sends what a dialect rendered: JSON, a stream of text, or a file. */
export async function sendAnswer(
  answer: WireAnswer,
  { request, reply, platform }: { request: FastifyRequest; reply: FastifyReply; platform: Platform },
): Promise<FastifyReply> {
  if (answer.kind === 'media') return sendFile(answer.media, { request, reply, platform })
  reply.code(answer.status).headers(answer.headers ?? {})
  if (answer.kind !== 'stream') return reply.send(answer.body)
  // A proxy that collects the answer would defeat what it is for.
  return reply
    .headers({ 'x-accel-buffering': 'no', 'cache-control': 'no-store' })
    .type(answer.contentType)
    .send(Readable.from(answer.chunks, { objectMode: false }))
}

async function sendFile(
  { id, mimeType }: TaskMedia,
  { request, reply, platform }: { request: FastifyRequest; reply: FastifyReply; platform: Platform },
): Promise<FastifyReply> {
  const media = await selectServedMedia(platform.pool, id)
  if (media?.state !== 'kept') throw new Refusal('media_not_found', 'The file was deleted when its time was over.')
  const fileName = `${id}.${endingOf(mimeType)}`
  return sendMedia({ request, reply, media, fileName, store: platform.store, secondsLeft: KEEP_CONTENT_SECONDS })
}
