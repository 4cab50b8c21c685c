/**
 * Standard Webhooks 1.0 (https://www.standardwebhooks.com) from the receiver's side: an HMAC-SHA256 over
 * `<id>.<timestamp>.<body>` with the shared secret has to be among the signatures, of which there are several while the
 * sender replaces its secret.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Webhook } from '../provider.ts'

/** What the specification, and OpenAI, allow a message to be old, or a clock to be wrong. */
const TOLERANCE_SECONDS = 300

const PREFIX = 'whsec_'

/** The specification's shortest secret has 24; some senders make them of 16. */
const MIN_SECRET_BYTES = 16

/** One for each secret that signs. More are no rotation. */
const MAX_SIGNATURES = 10

export type WebhookVerdict = 'genuine' | 'unsigned' | 'stale' | 'forged'

/**
 * The bytes of a provider's secret as its vendor shows it.
 * @throws Error that tells the operator what is wrong, without showing it.
 */
export function webhookSecretBytes(shown: string, provider: string): Buffer {
  const text = shown.startsWith(PREFIX) ? shown.slice(PREFIX.length) : shown
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
  if (bytes.length >= MIN_SECRET_BYTES) return bytes
  throw new Error(
    `providers.${provider}.webhookSecret is not ${PREFIX} and at least ${MIN_SECRET_BYTES} bytes in base64.`,
  )
}

/** Judges a message; takes equal time for all forgeries. */
export function verifyWebhook({ headers, body }: Webhook, secret: Buffer, now: Date): WebhookVerdict {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return 'unsigned'
  const hmac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body)
  const expected = Buffer.from(`v1,${hmac.digest('base64')}`)
  const given = signatures.split(' ', MAX_SIGNATURES).map((signature) => Buffer.from(signature))
  if (!given.some((each) => each.length === expected.length && timingSafeEqual(each, expected))) return 'forged'
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN
  return Math.abs(now.getTime() / 1_000 - seconds) <= TOLERANCE_SECONDS ? 'genuine' : 'stale'
}
