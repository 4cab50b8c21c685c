import type { StartOutcome } from '../provider.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { missingField, refusal } from './wire.ts'

/** Codes of a content policy: OpenAI's (`moderation_blocked`, seen; the other of its image API), Azure's, gateways'. */
const POLICY_CODES: readonly string[] = [
  'moderation_blocked',
  'content_policy_violation',
  'content_filter',
  'content_policy',
]

/** Comes as a 429 and yet no later try passes: somebody has to pay first. */
const NO_BALANCE_CODES: readonly string[] = ['insufficient_quota', 'billing_hard_limit_reached']

/** What a create means that was answered with anything but success. */
export function refusedCreate(answer: UpstreamAnswer): StartOutcome {
  const { status } = answer
  const code = refusal.safeParse(answer.json).data?.error.code ?? undefined
  const cause = `HTTP ${status}: ${answer.shown}`
  if (status >= 400 && status < 500) {
    if (isPolicyCode(code)) return rejected('policy', cause)
    if (code !== undefined && NO_BALANCE_CODES.includes(code)) return rejected('credentials', cause)
  }
  return refusedStart(answer)
}

export function isPolicyCode(code: string | undefined): boolean {
  return code !== undefined && POLICY_CODES.includes(code)
}

/** Whether a server says that it has read nothing of a JSON body, because it reads forms only. Then nothing began. */
export function wantsForm({ status, json }: UpstreamAnswer): boolean {
  if (status === 415) return true
  const missing = status === 422 ? missingField.safeParse(json).data : undefined
  return missing?.detail.some(({ loc }) => loc.at(-1) === 'prompt') === true
}
