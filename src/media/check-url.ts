import { isIP } from 'node:net'
import { MAX_URL_CHARACTERS } from '../canonical/url-limit.ts'
import { type FetchPolicy, isOrdinary, mayDial } from './fetch-policy.ts'
import { isPublicAddress } from './public-address.ts'

export type UrlVerdict =
  /** Normalized: the host in its canonical spelling, no fragment. */
  | { readonly kind: 'accepted'; readonly url: URL }
  /** `allowed` completes the sentence "allowed: …". */
  | { readonly kind: 'refused'; readonly allowed: string }

/** Parsers disagree about these, and none of them can stand in a URL unescaped. */
const STRAY_CHARACTERS = /[\s\\\p{Cc}]/u

/** Names that by their definition are not on the public internet (RFC 6761, 6762, 7686, 8375; ICANN on `.internal`). */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|home\.arpa|onion)$/

/** What a refusal for the scheme, and for what goes with it, begins with. */
export const ALLOWED_SCHEME = 'an https URL'
const ALLOWED_PORT = 'port 443 or 8443'
const ALLOWED_HOST = 'a host on the public internet'

/**
 * Judges a URL by how it is written, before anything is done with it. What its name resolves to is judged when it is
 * dialled, each time. Decimal, octal, hexadecimal and percent-encoded spellings of an address are that address here:
 * the URL standard's parser has turned them into the one spelling that it gives to the connection, too.
 */
export function checkUrl(text: string, policy: Pick<FetchPolicy, 'allowNets'>): UrlVerdict {
  if (text.length > MAX_URL_CHARACTERS) return refused(`${ALLOWED_SCHEME} of at most ${MAX_URL_CHARACTERS} characters`)
  const stray = STRAY_CHARACTERS.exec(text)?.[0]
  if (stray !== undefined) return refused(`${ALLOWED_SCHEME} in which ${nameOf(stray)} is percent-encoded`)
  if (!URL.canParse(text)) return refused(ALLOWED_SCHEME)
  const url = new URL(text)
  url.hash = ''
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refused(ALLOWED_SCHEME)
  if (url.username !== '' || url.password !== '') return refused(`${ALLOWED_SCHEME} without user name and password`)
  const address = url.hostname.replace(/^\[|\]$/g, '')
  const allowed = isIP(address) === 0 ? wrongWithName(url, policy) : wrongWithAddress(address, url, policy)
  return allowed === undefined ? { kind: 'accepted', url } : refused(allowed)
}

function wrongWithAddress(address: string, url: URL, policy: Pick<FetchPolicy, 'allowNets'>): string | undefined {
  if (mayDial(address, url, policy)) return undefined
  return isPublicAddress(address) ? wrongWithScheme(url) : ALLOWED_HOST
}

/** With allowed networks a name may lead into one of them, whatever its form; the dialling finds out. */
function wrongWithName(url: URL, { allowNets }: Pick<FetchPolicy, 'allowNets'>): string | undefined {
  if (allowNets.length > 0) return undefined
  if (!isOrdinary(url)) return wrongWithScheme(url)
  const name = url.hostname.replace(/\.$/, '')
  return !name.includes('.') || LOCAL_NAME.test(name) ? ALLOWED_HOST : undefined
}

function wrongWithScheme({ protocol }: URL): string {
  return protocol === 'https:' ? ALLOWED_PORT : ALLOWED_SCHEME
}

function nameOf(stray: string): string {
  if (stray === ' ') return 'a space'
  return stray === '\\' ? 'a backslash' : 'a line break, a tab or another control character'
}

function refused(allowed: string): UrlVerdict {
  return { kind: 'refused', allowed }
}
