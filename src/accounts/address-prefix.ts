import ipaddr from 'ipaddr.js'

/** Bits of an IPv6 address that tell customers of a network apart: each is given the other half whole. */
const IPV6_PREFIX_BITS = 64

/** A connection without an address came over a local socket. */
const NO_ADDRESS = 'local'

/**
 * Whom an address stands for, as a key to count by: an IPv4 address as it is, also where it comes mapped into IPv6; of an IPv6
 * address the prefix, for whoever has one has 2^64 of them.
 */
export function addressPrefix(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return NO_ADDRESS
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const kept = parsed.toByteArray().map((byte, index) => (index < IPV6_PREFIX_BITS / 8 ? byte : 0))
  return `${ipaddr.fromByteArray(kept).toString()}/${IPV6_PREFIX_BITS}`
}
