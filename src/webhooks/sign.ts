/**
 * Standard Webhooks 1.0 (https://www.standardwebhooks.com), which is also what OpenAI's webhooks carry: the receiver
 * computes HMAC-SHA256 over `<id>.<timestamp>.<body>` with the secret and finds it among the signatures.
 */
import { createHmac } from 'node:crypto'
import type { DeliveryId } from './delivery.ts'

export interface SignedMessage {
  readonly id: DeliveryId
  /** Receivers refuse what is more than 5 minutes old, so each attempt has its own. */
  readonly now: Date
  /** The very bytes that are sent. */
  readonly body: string
}

/** The three headers. One signature for each secret: two while a secret is being replaced. */
export function signatureHeaders(
  { id, now, body }: SignedMessage,
  secrets: readonly Buffer[],
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(now.getTime() / 1000)
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}

/** A secret as receivers are given it. */
export function shownSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`
}
