import type { StartOutcome } from '../provider.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { isPolicy } from './vendor-words.ts'
import { envelope } from './wire.ts'

/** The answer with the status that its body says, which may be another than that of HTTP. */
export function withBodyCode(answer: UpstreamAnswer): UpstreamAnswer {
  const code = envelope.safeParse(answer.json).data?.code
  // An HTTP error is none the less one because its body says 200.
  return code === undefined || code === 200 ? answer : { ...answer, status: code }
}

/** What a create means that gave no id. */
export function refusedCreate(answer: UpstreamAnswer): StartOutcome {
  const { status, shown } = withBodyCode(answer)
  const message = envelope.safeParse(answer.json).data?.message ?? ''
  if (status >= 400 && status < 500 && isPolicy(message)) return rejected('policy', `HTTP ${status}: ${shown}`)
  return refusedStart(withBodyCode(answer))
}
