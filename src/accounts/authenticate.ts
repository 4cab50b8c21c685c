import { Refusal } from '../canonical/refusal.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { Queryable } from '../db/database.ts'
import { hashSecret, modeOfSecret } from './key-secret.ts'
import { type KeyHolder, selectKeyHolder } from './queries.ts'

/**
 * How long a checked key is believed without asking the database again. A revocation reaches every node at once by a
 * notification; this bounds the damage should that be lost, and how late an expiry is noticed.
 */
const BELIEVED_MS = 5_000

/** Keys kept in memory at once; beyond it the oldest goes. */
const MAX_KNOWN_KEYS = 10_000

interface KnownKey {
  readonly holder: KeyHolder
  readonly until: number
}

/** Tells who makes a request, by the `Authorization` header. */
export class Authenticator {
  readonly #db: Queryable
  readonly #now: () => number
  readonly #known = new Map<string, KnownKey>()

  constructor(options: { db: Queryable; now?: () => number }) {
    this.#db = options.db
    this.#now = options.now ?? Date.now
  }

  /** The holder of the key in `authorization`, which must have `scope`. Throws the refusal that says what is wrong. */
  async authenticate(authorization: string | undefined, scope: Scope): Promise<KeyHolder> {
    const holder = await this.#holderOf(readBearer(authorization))
    if (!holder.key.scopes.includes(scope)) {
      throw new Refusal(
        'scope_denied',
        `This API key lacks the scope ${scope}; it has ${holder.key.scopes.join(', ') || 'none'}.`,
      )
    }
    return holder
  }

  /** Forgets a key that changed, by the hex hash that the database's notification carries. */
  forget(secretHashHex: string): void {
    this.#known.delete(secretHashHex)
  }

  /** Forgets every key: for when notifications may have been missed. */
  forgetAll(): void {
    this.#known.clear()
  }

  async #holderOf(secret: string): Promise<KeyHolder> {
    const hash = hashSecret(secret)
    const id = hash.toString('hex')
    const known = this.#known.get(id)
    if (known !== undefined && known.until > this.#now()) return known.holder
    this.#known.delete(id)
    const holder = await selectKeyHolder(this.#db, hash)
    if (holder === undefined) throw new Refusal('key_invalid', 'The API key is not valid.')
    if (holder.key.revokedAt !== undefined) throw new Refusal('key_revoked', 'The API key has been revoked.')
    if (holder.expired) throw new Refusal('key_expired', 'The API key has expired.')
    this.#remember(id, holder)
    return holder
  }

  #remember(id: string, holder: KeyHolder): void {
    const oldest = this.#known.keys().next()
    if (this.#known.size >= MAX_KNOWN_KEYS && oldest.done !== true) this.#known.delete(oldest.value)
    this.#known.set(id, { holder, until: this.#now() + BELIEVED_MS })
  }
}

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === '') {
    throw new Refusal('key_missing', 'No API key was sent; send the header "Authorization: Bearer <key>".')
  }
  const secret = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1]
  if (secret === undefined || modeOfSecret(secret) === undefined) {
    throw new Refusal(
      'key_invalid',
      'The API key is not valid; send "Authorization: Bearer rly_live_…" or "rly_test_…".',
    )
  }
  return secret
}
