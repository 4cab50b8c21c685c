import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { FetchError } from './fetch-error.ts'
import { type FetchPolicy, mayDial } from './fetch-policy.ts'

/** TCP and TLS together; a host on the other side of the world needs a second. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Opens connections to permitted addresses only. The addresses of a name are judged here, in the very lookup that the
 * socket dials from, so a name that changes between a check and the call gains nothing. A literal address never comes to
 * a lookup, so it is judged before; and what the socket is connected to in the end, once more, before a byte is sent.
 */
export function checkedConnector(policy: FetchPolicy): buildConnector.connector {
  return (target, callback) => {
    const { hostname } = target
    if (isIP(hostname) !== 0 && !mayDial(hostname, target, policy)) {
      callback(refusedAddress(hostname), null)
      return
    }
    const lookup = checkedLookup(target, policy)
    const connect = buildConnector({
      timeout: CONNECT_TIMEOUT_MS,
      lookup,
      autoSelectFamily: true,
      maxCachedSessions: 0,
      keepAlive: false,
    })
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      if (!mayDial(socket.remoteAddress ?? '', target, policy)) {
        socket.destroy()
        return callback(refusedAddress(hostname), null)
      }
      callback(null, socket)
    })
  }
}

function checkedLookup(target: { protocol: string; port: string }, policy: FetchPolicy): LookupFunction {
  return (hostname, { all }, callback) => {
    permittedAddresses(hostname, target, policy).then(
      (addresses) => {
        const [first] = addresses
        if (all === true || first === undefined) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('lookup failed', { cause: error }), []),
    )
  }
}

/** At least one, or it throws. Addresses that may not be dialled are left out, so a name with both kinds still works. */
async function permittedAddresses(
  hostname: string,
  target: { protocol: string; port: string },
  policy: FetchPolicy,
): Promise<{ address: string; family: number }[]> {
  const addresses = await policy.resolve(hostname)
  if (addresses.length === 0) throw new FetchError('unresolved', `${hostname} has no address.`)
  const permitted = addresses.filter((address) => mayDial(address, target, policy))
  if (permitted.length === 0) throw refusedAddress(hostname)
  return permitted.map((address) => ({ address, family: isIP(address) }))
}

function refusedAddress(hostname: string): FetchError {
  return new FetchError('address_refused', `${hostname} is not a host that may be called from here.`)
}
