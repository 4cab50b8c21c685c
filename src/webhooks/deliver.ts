/** One attempt at one delivery. What comes of it is returned; only a fault of ours, or of the database, is thrown. */
import { pipeline } from 'node:stream'
import type { Json } from '../canonical/json.ts'
import type { Queryable } from '../db/database.ts'
import { FetchError } from '../media/fetch-error.ts'
import type { FetchPolicy } from '../media/fetch-policy.ts'
import { retryAfterMs } from '../media/fetch-retry-after.ts'
import { fetchUntrusted, type UntrustedRequest } from '../media/fetch-untrusted.ts'
import { MissingFile } from '../media/missing-file.ts'
import type { Store } from '../media/store.ts'
import { signingSecrets } from './callback-secret.ts'
import type { AttemptOutcome, LeasedDelivery } from './delivery.ts'
import { selectVideo } from './queries.ts'
import { signatureHeaders } from './sign.ts'
import { watchUpload } from './watch-upload.ts'

/** A receiver notes the message and answers; its work is its own affair. The value of Standard Webhooks. */
export const CALLBACK_TIMEOUT_MS = 15_000

/** A video of 100 MB over 3 Mbit/s. One that is taken more slowly is cut off before: `watch-upload.ts`. */
export const UPLOAD_TIMEOUT_MS = 5 * 60_000

/** What a receiver answers is thrown away; reading a little of it lets well-behaved ones finish their sentence. */
const MAX_ANSWER_BYTES = 16_384

export interface DeliveryContext {
  readonly db: Queryable
  readonly store: Pick<Store, 'open'>
  readonly policy: FetchPolicy
  /** The body of a callback, in the words of the dialect that the task was created in. */
  readonly renderCallback: (delivery: LeasedDelivery) => Promise<Json>
  readonly now: () => Date
  readonly signal: AbortSignal
}

/** Tells a receiver that a task has ended. */
export async function deliverCallback(context: DeliveryContext, delivery: LeasedDelivery): Promise<AttemptOutcome> {
  const body = JSON.stringify(await context.renderCallback(delivery))
  const secrets = await signingSecrets(context.db, delivery.accountId)
  return call(context, {
    method: 'POST',
    url: delivery.url,
    headers: {
      'content-type': 'application/json',
      ...signatureHeaders({ id: delivery.id, now: context.now(), body }, secrets),
    },
    body: Buffer.from(body),
    timeoutMs: CALLBACK_TIMEOUT_MS,
  })
}

/** Puts a task's video where the customer wants it. */
export async function deliverUpload(context: DeliveryContext, delivery: LeasedDelivery): Promise<AttemptOutcome> {
  const video = await selectVideo(context.db, delivery.taskId)
  if (video === undefined) return GONE
  const body = await context.store.open(video.storeKey).catch((error: unknown) => {
    if (error instanceof MissingFile) return undefined
    throw error
  })
  if (body === undefined) return GONE
  using watched = watchUpload()
  // An error of the store's ends the body that is sent, and with it the call.
  pipeline(body, watched.body, () => {})
  const { tooSlow } = watched
  const request = {
    method: 'PUT' as const,
    url: delivery.url,
    headers: { 'content-type': video.mimeType, 'content-length': String(video.sizeBytes) },
    body: watched.body,
    timeoutMs: UPLOAD_TIMEOUT_MS,
  }
  try {
    return await call({ ...context, signal: AbortSignal.any([context.signal, tooSlow]) }, request)
  } catch (error) {
    if (!tooSlow.aborted || context.signal.aborted) throw error
    return { kind: 'failed', status: undefined, error: TOO_SLOW, retryAfterMs: undefined }
  }
}

const TOO_SLOW = 'The receiver takes the video too slowly, or does not answer after it.'

const GONE: AttemptOutcome = {
  kind: 'refused',
  status: undefined,
  error: 'The video was deleted before it could be delivered.',
}

async function call(
  { policy, signal, now }: DeliveryContext,
  request: Omit<UntrustedRequest, 'maxBytes' | 'signal'>,
): Promise<AttemptOutcome> {
  try {
    await using answer = await fetchUntrusted({ ...request, maxBytes: MAX_ANSWER_BYTES, signal }, policy)
    const { status, headers } = answer
    await drain(answer.body)
    if (status >= 200 && status < 300) return { kind: 'delivered', status }
    if (status === 410) return { kind: 'refused', status, error: 'The receiver is gone (410): it wants no more.' }
    const error =
      status < 400 ? `The receiver redirects (${status}), which is not followed.` : `The receiver answered ${status}.`
    return { kind: 'failed', status, error, retryAfterMs: retryAfterMs(headers['retry-after'], now()) }
  } catch (error) {
    // Cut off because this process stops: not an attempt. The lease is given back, and somebody makes it.
    if (!(error instanceof FetchError) || error.reason === 'aborted') throw error
    return { kind: 'failed', status: undefined, error: error.message, retryAfterMs: undefined }
  }
}

/** The status is there, and says all: an answer that is too large, too slow or cut off after it changes nothing. */
async function drain(body: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const _ of body);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
  }
}
