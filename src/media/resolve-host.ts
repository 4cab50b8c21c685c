import { promises as dns } from 'node:dns'

/** All addresses of a name, those to be tried first in front; empty if there are none. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>

/** A name server that does not answer within this, twice, is not going to. */
const QUERY_TIMEOUT_MS = 2_000
const QUERY_TRIES = 2

/** RFC 6761, 6.3: names under localhost never leave the machine, and no name server is asked. */
const LOCALHOST = /(^|\.)localhost$/

/**
 * Resolves a name by asking the name servers. Not by `getaddrinfo`: that holds one of four threads which also do all file
 * access, so a few names whose servers never answer would stop everything else. The price is that the hosts file does not
 * count; `useHostsFile` has it looked at for names that the name servers do not know.
 */
export async function resolveHost(
  hostname: string,
  { useHostsFile }: { readonly useHostsFile: boolean },
): Promise<readonly string[]> {
  const name = hostname.replace(/\.$/, '').toLowerCase()
  if (LOCALHOST.test(name)) return ['127.0.0.1', '::1']
  const resolver = new dns.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (addresses.length > 0 || !useHostsFile) return addresses
  // A name that is in no hosts file either is a name without addresses.
  const found = await dns.lookup(name, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}
