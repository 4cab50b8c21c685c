/** Which IP addresses are on the public internet, and which networks an operator has named. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A network in CIDR notation, read. */
export type Net = readonly [Address, number]

/** All that IANA has given out of IPv6. What lies outside and has no name yet (`::/96`, say) leads nowhere good. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** The metadata and agent endpoint of Azure's machines: a public address that is answered by the machine's own host. */
const AZURE_HOST = '168.63.129.16'

/** Reads `10.0.0.0/8` or `fd00::/8`. `undefined` for anything else, a single address without its `/32` included. */
export function parseNet(text: string): Net | undefined {
  const isV6 = text.includes(':') && !text.includes('.') && ipaddr.IPv6.isValidCIDR(text)
  // Four decimal parts only: ipaddr.js would take `10/8` for 0.0.0.10.
  if (!isV6 && !ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined
  return ipaddr.parseCIDR(text)
}

/** Whether an address, in any notation, lies in one of the networks. An IPv4-mapped IPv6 address is its IPv4 address. */
export function isInNets(address: string, nets: readonly Net[]): boolean {
  const parsed = read(address)
  return parsed !== undefined && nets.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))
}

/**
 * Whether an address belongs to the public internet: not loopback, private, link-local, carrier NAT, multicast, reserved
 * or a documentation range, nor one that carries an IPv4 address inside (6to4, Teredo, NAT64), nor a cloud's metadata.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = read(address)
  if (parsed === undefined || parsed.range() !== 'unicast') return false
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL_IPV6) : parsed.toString() !== AZURE_HOST
}

function read(address: string): Address | undefined {
  return isIP(address) === 0 ? undefined : ipaddr.process(address)
}
