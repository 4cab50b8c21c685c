import type { Json } from '../../canonical/json.ts'
import type { Provider, WebhookOutcome } from '../provider.ts'
import { verifyWebhook, webhookSecretBytes } from './verify-webhook.ts'

export interface WebhookReaderOptions {
  /** By its name, for error messages. */
  readonly provider: string
  /** As the vendor shows it; `undefined`: it does not sign, and the address alone tells who calls. */
  readonly secret: string | undefined
  /** What a body that is JSON, and was signed if it has to be, is about; `undefined`: the vendor sends no such thing. */
  readonly read: (body: Json) => Exclude<WebhookOutcome, { kind: 'refused' }> | undefined
  readonly now?: () => Date
}

/** Reads a vendor's webhooks. @throws Error for a secret that is none, with a sentence for the operator. */
export function webhookReader(options: WebhookReaderOptions): Required<Pick<Provider, 'parseWebhook'>> {
  const { read, now = () => new Date() } = options
  const secret = options.secret === undefined ? undefined : webhookSecretBytes(options.secret, options.provider)
  return {
    parseWebhook(webhook) {
      const verdict = secret === undefined ? 'genuine' : verifyWebhook(webhook, secret, now())
      if (verdict !== 'genuine') return { kind: 'refused', cause: `its signature is ${verdict}` }
      const body = parsed(webhook.body)
      const outcome = body === undefined ? undefined : read(body)
      return outcome ?? { kind: 'refused', cause: 'it is nothing that the vendor sends' }
    },
  }
}

function parsed(body: Buffer): Json | undefined {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
