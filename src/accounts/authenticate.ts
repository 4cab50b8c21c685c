/**
 * Who makes a request, by the `Authorization` header. What was found out about a key is remembered for a moment, good or bad;
 * what is not remembered is looked up, many keys in one statement. A key is therefore never refused for want of room, however
 * many wrong ones come from the same address (an office, a proxy): those are counted, and told to wait in place of what is wrong.
 */
import { Refusal, type RefusalCode } from '../canonical/refusal.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { Queryable } from '../db/database.ts'
import { GatheredReads } from '../db/gathered-reads.ts'
import { addressPrefix } from './address-prefix.ts'
import { hashSecret, modeOfSecret } from './key-secret.ts'
import { type FoundKeyHolder, type KeyHolder, selectKeyHolders } from './queries.ts'
import { RefusedAddresses, tooManyRefused } from './refused-addresses.ts'

/**
 * How long a checked key is believed without asking the database again. A change reaches every node at once by a
 * notification; this bounds the damage should that be lost, and how late an expiry is noticed.
 */
const BELIEVED_MS = 5_000

/** Keys kept in memory at once, good and bad ones apart; beyond it the oldest goes. */
const MAX_KNOWN_KEYS = 10_000

/** Keys in one statement, and statements under way at once: wrong keys never take more of the database than that. */
const MAX_BATCH = 256
const MAX_IN_FLIGHT = 2

/**
 * Different keys of one address that were never seen to be valid and are being looked up. A look-up takes milliseconds, and
 * behind a proxy all customers have its address: after a restart, their keys come at once.
 */
const MAX_STRANGERS_OF_ADDRESS = 2_048
const STRANGERS_RETRY_SECONDS = 1

type Verdict =
  | { readonly kind: 'valid'; readonly holder: KeyHolder }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }

interface Remembered<What> {
  readonly what: What
  readonly until: number
}

interface LookUp {
  /** The key changed after its statement began: what that found is not the last word. */
  isOutdated: boolean
  readonly verdict: Promise<Verdict>
}

export class Authenticator {
  readonly #now: () => number
  readonly #reads: GatheredReads<Buffer, FoundKeyHolder | undefined>
  /** Also beyond their time: a key that was valid once is no stranger. */
  readonly #valid = new Map<string, Remembered<KeyHolder>>()
  readonly #refused = new Map<string, Remembered<Extract<Verdict, { kind: 'refused' }>>>()
  readonly #lookUps = new Map<string, LookUp>()
  readonly #strangers = new Map<string, number>()
  readonly #refusedAddresses: RefusedAddresses

  constructor({ db, now = Date.now }: { db: Queryable; now?: () => number }) {
    this.#now = now
    this.#refusedAddresses = new RefusedAddresses({ now })
    this.#reads = new GatheredReads<Buffer, FoundKeyHolder | undefined>({
      read: (hashes) => selectKeyHolders(db, hashes),
      maxBatch: MAX_BATCH,
      maxInFlight: MAX_IN_FLIGHT,
    })
  }

  /**
   * The holder of the key in `authorization`. Throws the refusal that says what is wrong, or, to an address that made too many
   * such requests, when to come again.
   * @param address where the request came from.
   */
  async authenticate(authorization: string | undefined, address: string | undefined): Promise<KeyHolder> {
    const prefix = addressPrefix(address)
    const secret = readBearer(authorization)
    const verdict = secret.kind === 'refused' ? secret : await this.#verdictOn(secret.secret, prefix)
    if (verdict.kind === 'valid') return verdict.holder
    throw this.#refusedAddresses.count(prefix, new Refusal(verdict.code, verdict.message))
  }

  /** Forgets a key that changed or was made, by the hex hash that the database's notification carries. */
  forget(secretHashHex: string): void {
    this.#valid.delete(secretHashHex)
    this.#refused.delete(secretHashHex)
    const lookUp = this.#lookUps.get(secretHashHex)
    if (lookUp !== undefined) lookUp.isOutdated = true
  }

  /** Forgets every key: for when notifications may have been missed. */
  forgetAll(): void {
    this.#valid.clear()
    this.#refused.clear()
    for (const lookUp of this.#lookUps.values()) lookUp.isOutdated = true
  }

  async #verdictOn(secret: string, prefix: string): Promise<Verdict> {
    const hash = hashSecret(secret)
    const id = hash.toString('hex')
    const now = this.#now()
    const valid = this.#valid.get(id)
    if (valid !== undefined && valid.until > now) return { kind: 'valid', holder: valid.what }
    const refused = this.#refused.get(id)
    if (refused !== undefined && refused.until > now) return refused.what
    // Another request waits for the same key: this one costs nothing more.
    if (valid !== undefined || this.#lookUps.has(id)) return await this.#lookUp(id, hash)
    return await this.#lookUpStranger(prefix, () => this.#lookUp(id, hash))
  }

  /** So many at a time of one address: connections that wait are finite, too. */
  async #lookUpStranger(prefix: string, lookUp: () => Promise<Verdict>): Promise<Verdict> {
    const others = this.#strangers.get(prefix) ?? 0
    if (others >= MAX_STRANGERS_OF_ADDRESS) throw tooManyRefused(STRANGERS_RETRY_SECONDS)
    this.#strangers.set(prefix, others + 1)
    try {
      return await lookUp()
    } finally {
      const left = (this.#strangers.get(prefix) ?? 1) - 1
      if (left > 0) this.#strangers.set(prefix, left)
      else this.#strangers.delete(prefix)
    }
  }

  /** One look-up of a key at a time, for all requests that wait for it. */
  #lookUp(id: string, hash: Buffer): Promise<Verdict> {
    const underWay = this.#lookUps.get(id)
    if (underWay !== undefined) return underWay.verdict
    const lookUp: LookUp = { isOutdated: false, verdict: Promise.resolve().then(() => this.#read(lookUp, id, hash)) }
    this.#lookUps.set(id, lookUp)
    return lookUp.verdict
  }

  /** Reads again for as long as the key changes meanwhile: what was read before a change must not outlive it. */
  async #read(lookUp: LookUp, id: string, hash: Buffer): Promise<Verdict> {
    try {
      for (;;) {
        lookUp.isOutdated = false
        const until = this.#now() + BELIEVED_MS
        const verdict = judge(await this.#reads.ask(hash))
        if (lookUp.isOutdated) continue
        this.#valid.delete(id)
        if (verdict.kind === 'valid') remember(this.#valid, id, { what: verdict.holder, until })
        else remember(this.#refused, id, { what: verdict, until })
        return verdict
      }
    } finally {
      this.#lookUps.delete(id)
    }
  }
}

/** Throws `scope_denied` for a key that lacks a scope. Apart from the key itself, so that the request is counted first. */
export function assertScope({ key: { scopes } }: KeyHolder, scope: Scope): void {
  if (scopes.includes(scope)) return
  const has = scopes.join(', ') || 'none'
  throw new Refusal('scope_denied', `This API key lacks the scope ${scope}; it has ${has}.`)
}

function judge(holder: FoundKeyHolder | undefined): Verdict {
  if (holder === undefined) return { kind: 'refused', code: 'key_invalid', message: 'The API key is not valid.' }
  if (holder.key.revokedAt !== undefined)
    return { kind: 'refused', code: 'key_revoked', message: 'The API key has been revoked.' }
  if (holder.expired) return { kind: 'refused', code: 'key_expired', message: 'The API key has expired.' }
  return { kind: 'valid', holder }
}

function remember<What>(known: Map<string, Remembered<What>>, id: string, remembered: Remembered<What>): void {
  known.delete(id)
  const oldest = known.keys().next()
  if (known.size >= MAX_KNOWN_KEYS && oldest.done !== true) known.delete(oldest.value)
  known.set(id, remembered)
}

type Bearer = { readonly kind: 'sent'; readonly secret: string } | Extract<Verdict, { kind: 'refused' }>

function readBearer(authorization: string | undefined): Bearer {
  if (authorization === undefined || authorization.trim() === '') {
    const message = 'No API key was sent; send the header "Authorization: Bearer <key>".'
    return { kind: 'refused', code: 'key_missing', message }
  }
  const secret = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1]
  if (secret !== undefined && modeOfSecret(secret) !== undefined) return { kind: 'sent', secret }
  const message = 'The API key is not valid; send "Authorization: Bearer rly_live_…" or "rly_test_…".'
  return { kind: 'refused', code: 'key_invalid', message }
}
