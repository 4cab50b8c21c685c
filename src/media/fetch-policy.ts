import { userAgent } from './fetch-user-agent.ts'
import { isInNets, isPublicAddress, type Net, parseNet } from './public-address.ts'
import { type ResolveHost, resolveHost } from './resolve-host.ts'

/** Where untrusted URLs may lead, and by whose name they are called. */
export interface FetchPolicy {
  /** `REELAY_ALLOW_NETS`: networks that may be reached although they are not public, by plain http and on any port too. */
  readonly allowNets: readonly Net[]
  /** How names become addresses. */
  readonly resolve: ResolveHost
  /** The header `User-Agent` of every call; by default one without a contact. */
  readonly userAgent?: string | undefined
}

/**
 * The ports of https that may be called outside the allowed networks: its own, and the one that is customary for a
 * second server on the same machine. Any other is refused, so that nobody has us talk to mail servers and databases.
 */
const HTTPS_PORTS: readonly string[] = ['', '443', '8443']

/**
 * Makes a policy from networks in CIDR notation. Throws for one that is none: configuration has checked them.
 * `publicUrl`: the contact that goes with every call.
 */
export function fetchPolicy(
  allowNets: readonly string[],
  { publicUrl }: { readonly publicUrl?: string | undefined } = {},
): FetchPolicy {
  const nets = allowNets.map((text) => {
    const net = parseNet(text)
    if (net === undefined) throw new Error(`${text} is not a network in CIDR notation`)
    return net
  })
  return {
    allowNets: nets,
    resolve: (host) => resolveHost(host, { useHostsFile: nets.length > 0 }),
    userAgent: userAgent(publicUrl),
  }
}

/** Whether a URL is of the kind that may be called anywhere public: https on a port of https. */
export function isOrdinary({ protocol, port }: { readonly protocol: string; readonly port: string }): boolean {
  return protocol === 'https:' && HTTPS_PORTS.includes(port)
}

/** Whether this address may be dialled for a URL of this scheme and port. */
export function mayDial(
  address: string,
  url: { readonly protocol: string; readonly port: string },
  { allowNets }: Pick<FetchPolicy, 'allowNets'>,
): boolean {
  return isInNets(address, allowNets) || (isOrdinary(url) && isPublicAddress(address))
}
