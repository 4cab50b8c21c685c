/**
 * Signed links to media: `/media/<file>?expires=<Unix seconds>&signature=<base64url>`, where the file is the media's id
 * with an ending and the signature is HMAC-SHA256 over both, under a secret of this installation. Whoever has a link may
 * read that one file until then; there is no other credential, so that a browser, a player and a colleague can use it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TaskMedia } from '../canonical/task.ts'
import { endingOf } from './media-types.ts'

/** Seconds that a link works at least: a day to fetch what a callback announced, and soon over once it has leaked. */
export const LINK_LIFETIME = 86_400

/**
 * Links expire on the full hour. A task that is read again within the hour gives the same link, which caches know by
 * then; for that a link may live up to an hour longer.
 */
const EXPIRY_STEP_SECONDS = 3_600

/** Bytes of the secret: as long as the hash, as RFC 2104 advises. */
export const LINK_SECRET_BYTES = 32

export interface SignedFile {
  /** `<media id>.<ending>`. */
  readonly file: string
  /** Unix seconds. */
  readonly expires: number
}

export type LinkVerdict = 'valid' | 'expired' | 'forged'

/** The signature of a link, in base64url. */
export function signLink({ file, expires }: SignedFile, secret: Buffer): string {
  // The line break can stand in neither part, so no two links have one text.
  return createHmac('sha256', secret).update(`reelay media link\n${file}\n${expires}`).digest('base64url')
}

/** Judges a link. `expired` is said of genuine ones only: a forger learns nothing. Takes equal time for all forgeries. */
export function checkLink(link: SignedFile & { readonly signature: string }, secret: Buffer, now: Date): LinkVerdict {
  const expected = Buffer.from(signLink(link, secret))
  const given = Buffer.from(link.signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged'
  return link.expires * 1000 <= now.getTime() ? 'expired' : 'valid'
}

export interface MediaLinksOptions {
  /** Where customers reach this server, e.g. `https://video.example.com`; a path prefix is kept. */
  readonly publicUrl: () => string
  readonly secret: Buffer
  readonly now: () => Date
}

/** Makes and judges the links of this installation. */
export class MediaLinks {
  readonly #publicUrl: () => string
  readonly #secret: Buffer
  readonly #now: () => Date

  constructor({ publicUrl, secret, now }: MediaLinksOptions) {
    if (secret.length !== LINK_SECRET_BYTES) throw new Error(`Links are signed with ${LINK_SECRET_BYTES} bytes.`)
    this.#publicUrl = publicUrl
    this.#secret = secret
    this.#now = now
  }

  /** The address of a file for the next day, or until retention deletes it. */
  urlOf(media: TaskMedia): string {
    const file = `${media.id}.${endingOf(media.mimeType)}`
    const expires = Math.min(this.#nextExpiry(), Math.floor(media.expiresAt.getTime() / 1000))
    const base = this.#publicUrl().replace(/\/+$/, '')
    return `${base}/media/${file}?expires=${expires}&signature=${signLink({ file, expires }, this.#secret)}`
  }

  check(link: SignedFile & { readonly signature: string }): LinkVerdict {
    return checkLink(link, this.#secret, this.#now())
  }

  /** Seconds for which an answer to a valid link may be kept. */
  secondsLeft({ expires }: SignedFile): number {
    return Math.max(0, expires - Math.ceil(this.#now().getTime() / 1000))
  }

  #nextExpiry(): number {
    return Math.ceil((this.#now().getTime() / 1000 + LINK_LIFETIME) / EXPIRY_STEP_SECONDS) * EXPIRY_STEP_SECONDS
  }
}
