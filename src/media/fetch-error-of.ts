import { FetchError, type FetchErrorReason } from './fetch-error.ts'

/** What is known about a call when it fails. */
export interface FetchCause {
  readonly hostname: string
  /** What ended the call is its reason. */
  readonly signal: AbortSignal
  /** Becomes `maybe` once there is a connection. */
  sent: 'no' | 'maybe'
}

/**
 * Codes of Node and of undici's connector, and what they mean; those of certificates and of Node's parser (`HPE_`) are
 * many, and told by how they begin.
 */
const REASONS: Readonly<Record<string, FetchErrorReason>> = {
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'unreachable',
  ECONNRESET: 'interrupted',
  EPIPE: 'interrupted',
}

const SENTENCES: Readonly<Partial<Record<FetchErrorReason, string>>> = {
  unresolved: 'has no address',
  unreachable: 'could not be connected to',
  interrupted: 'broke the connection off',
  timeout: 'did not answer in time',
  bad_answer: 'gave an answer that is not HTTP',
  tls: 'has no certificate that can be trusted, or speaks no TLS',
}

/** Whatever a call threw, as a `FetchError`. */
export function fetchErrorOf(error: unknown, { hostname, signal, sent }: FetchCause): FetchError {
  if (signal.aborted && signal.reason instanceof FetchError) {
    return new FetchError(signal.reason.reason, signal.reason.message, { sent, cause: error })
  }
  if (error instanceof FetchError) return error
  const reason = reasonOf(error) ?? (isRefusedHere(error, sent) ? 'unreachable' : undefined)
  // Anything else is a fault of ours, and is not dressed up as one of the other side's.
  if (reason === undefined) throw error
  return new FetchError(reason, `${hostname} ${SENTENCES[reason] ?? 'failed'}.`, { sent, cause: error })
}

/** No connection for a reason of this machine's own: no file descriptors left, a firewall's word. */
function isRefusedHere(error: unknown, sent: FetchCause['sent']): boolean {
  return sent === 'no' && error instanceof Error && 'syscall' in error
}

function reasonOf(error: unknown): FetchErrorReason | undefined {
  if (!(error instanceof Error)) return undefined
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  const { code } = error
  if (code.startsWith('HPE_')) return 'bad_answer'
  if (/^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(code)) return 'tls'
  return REASONS[code]
}
