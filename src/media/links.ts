/**
 * Signed links to media, made here or brought by customers: `/media/<file>?expires=<Unix seconds>&signature=<base64url>`,
 * where the file is its id with an ending and the signature is HMAC-SHA256 over both, under a secret of this
 * installation. Whoever has a link may read that one file until then; there is no other credential, so that a browser, a
 * player and a colleague can use it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type FileId, type MediaId, parseId } from '../canonical/ids.ts'
import { MAX_URL_CHARACTERS } from '../canonical/url-limit.ts'
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
  /** `<id>.<ending>`. */
  readonly file: string
  /** Unix seconds. */
  readonly expires: number
}

/** What a link can lead to: a file that a task produced, or one that a customer brought. */
export interface LinkedFile {
  readonly id: MediaId | FileId
  readonly mimeType: string
  /** When the file goes: no link outlives it. */
  readonly expiresAt: Date
}

export type LinkVerdict = 'valid' | 'expired' | 'forged'

/** Exactly as a link of ours writes it, so that one link has one spelling. */
const EXPIRES = /^[1-9]\d{0,11}$/

/** The query of a link as it came; `undefined` if it is not one that a link of ours can have. */
export function readLinkQuery(query: {
  readonly expires?: unknown
  readonly signature?: unknown
}): { readonly expires: number; readonly signature: string } | undefined {
  const { expires, signature } = query
  if (typeof expires !== 'string' || typeof signature !== 'string' || !EXPIRES.test(expires)) return undefined
  return { expires: Number(expires), signature }
}

/** What a signed link leads to. */
export type LinkTarget =
  /** A task produced it. */
  | { readonly kind: 'media'; readonly id: MediaId }
  /** A customer brought it. */
  | { readonly kind: 'file'; readonly id: FileId }

/** What the name of a signed file says that it is. */
export function linkTargetOf({ file }: Pick<SignedFile, 'file'>): LinkTarget | undefined {
  const text = file.replace(/\.[^.]*$/, '')
  const mediaId = parseId('med', text)
  if (mediaId !== undefined) return { kind: 'media', id: mediaId }
  const fileId = parseId('file', text)
  return fileId === undefined ? undefined : { kind: 'file', id: fileId }
}

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

  /** The address of a file for the next day, or until it is deleted. */
  urlOf(media: LinkedFile): string {
    const file = `${media.id}.${endingOf(media.mimeType)}`
    const expires = Math.min(this.#nextExpiry(), Math.floor(media.expiresAt.getTime() / 1000))
    return `${this.#prefix()}${file}?expires=${expires}&signature=${signLink({ file, expires }, this.#secret)}`
  }

  /**
   * Reads a URL as a link of this installation; `undefined` if it leads elsewhere. Whatever is below our own address is
   * ours to judge, forged or not: it is never fetched. What is too long for any URL is none, without being looked into:
   * a data URI may be 30 MB, which take half a second to read as a URL.
   */
  read(url: string): (SignedFile & { readonly verdict: LinkVerdict }) | undefined {
    if (url.length > MAX_URL_CHARACTERS || !URL.canParse(url)) return undefined
    const { origin, pathname, searchParams } = new URL(url)
    const prefix = new URL(this.#prefix())
    if (origin !== prefix.origin || !pathname.startsWith(prefix.pathname)) return undefined
    const file = pathname.slice(prefix.pathname.length)
    const link = readLinkQuery(onlyValues(searchParams))
    if (link === undefined) return { file, expires: 0, verdict: 'forged' }
    return { file, expires: link.expires, verdict: this.check({ file, ...link }) }
  }

  check(link: SignedFile & { readonly signature: string }): LinkVerdict {
    return checkLink(link, this.#secret, this.#now())
  }

  /** Seconds for which an answer to a valid link may be kept. */
  secondsLeft({ expires }: SignedFile): number {
    return Math.max(0, expires - Math.ceil(this.#now().getTime() / 1000))
  }

  #prefix(): string {
    return `${this.#publicUrl().replace(/\/+$/, '')}/media/`
  }

  #nextExpiry(): number {
    return Math.ceil((this.#now().getTime() / 1000 + LINK_LIFETIME) / EXPIRY_STEP_SECONDS) * EXPIRY_STEP_SECONDS
  }
}

/** The values of a query; of a name that is there twice none. */
function onlyValues(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([name]) => query.getAll(name).length === 1))
}
