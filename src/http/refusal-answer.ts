import type { Id } from '../canonical/ids.ts'
import type { Refusal } from '../canonical/refusal.ts'
import type { JsonAnswer } from '../dialects/dialect.ts'
import { DIALECTS } from '../dialects/index.ts'
import { dialectOfPath } from './dialect-of-path.ts'

/**
 * The answer to a request that reached no route: in the form of the dialect that its path most likely belongs to, else in
 * a form of our own.
 */
export function refusalAnswer(
  refusal: Refusal,
  { path, requestId }: { readonly path: string; readonly requestId: Id<'req'> },
): JsonAnswer {
  const dialect = dialectOfPath(DIALECTS, path)
  if (dialect !== undefined) return dialect.renderRefusal(refusal, { requestId })
  const { code, message } = refusal
  const [status, word] = code === 'route_not_found' ? [404, 'not_found'] : [STATUSES[code] ?? 500, code]
  return { status, body: { error: { code: word, message, requestId } } }
}

const STATUSES: Readonly<Record<string, number>> = { unavailable: 503, malformed_body: 400 }
