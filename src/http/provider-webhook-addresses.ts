/**
 * Where providers call back: `/hooks/providers/<name>/<token>`. The token is HMAC-SHA256 over the name under a secret of
 * this installation, so that nobody can guess the address of a provider that does not sign. It is the same on every node
 * and for ever: jobs that were told it may run for hours.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** The name of the secret among the installation's. */
export const PROVIDER_WEBHOOK_SECRET = 'provider-webhooks'

/** Bytes of the secret: as long as the hash, as RFC 2104 advises. */
export const PROVIDER_WEBHOOK_SECRET_BYTES = 32

export const PROVIDER_WEBHOOKS_PATH = '/hooks/providers'

export interface ProviderWebhookAddressesOptions {
  /** `REELAY_PUBLIC_URL`, if it is set: without it nobody outside is told an address. */
  readonly publicUrl: string | undefined
  readonly secret: Buffer
}

export class ProviderWebhookAddresses {
  readonly #publicUrl: string | undefined
  readonly #secret: Buffer

  constructor({ publicUrl, secret }: ProviderWebhookAddressesOptions) {
    this.#publicUrl = publicUrl
    this.#secret = secret
  }

  /** What a provider is to call; `undefined` where it could not reach us. */
  urlOf(provider: string): string | undefined {
    if (this.#publicUrl === undefined) return undefined
    return `${this.#publicUrl}${PROVIDER_WEBHOOKS_PATH}/${provider}/${this.#tokenOf(provider)}`
  }

  /** Takes equal time for all forgeries, and for providers that are not there. */
  isGenuine(provider: string, token: string): boolean {
    const expected = Buffer.from(this.#tokenOf(provider))
    const given = Buffer.from(token)
    return given.length === expected.length && timingSafeEqual(given, expected)
  }

  #tokenOf(provider: string): string {
    return createHmac('sha256', this.#secret).update(`reelay provider webhook\n${provider}`).digest('base64url')
  }
}
