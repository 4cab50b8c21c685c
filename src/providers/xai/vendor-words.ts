import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { refusal } from './wire.ts'

/**
 * xAI says by status and code only roughly what is wrong; the sentence says it. The sentences are not documented, they
 * were seen: "Content violates usage guidelines. … Failed check: SAFETY_CHECK_TYPE_…" with 403, "Generated video rejected
 * by content moderation." with 400, of a create and of a poll, sometimes with the code `imagine:content-moderated`, and
 * "Your team … has either used all available credits or reached its monthly spending limit." with 403 and with 429.
 */
const POLICY = /usage guidelines|content.moderat|SAFETY_CHECK|content policy/i
const NO_CREDIT = /used all available credits|spending limit|purchase more credits/i

/** The status of a wrong key is documented as 400, like that of a wrong argument. */
const WRONG_KEY = /api key/i

export function isPolicy(sentence: string): boolean {
  return POLICY.test(sentence)
}

/** Whether it is the content policy that refuses. */
export function isPolicyRefusal({ status, json }: Pick<UpstreamAnswer, 'status' | 'json'>): boolean {
  const { code = '', error = '' } = (status >= 400 && status < 500 ? refusal.safeParse(json).data : undefined) ?? {}
  return isPolicy(`${code} ${error}`)
}

/** Whether it is our key or our balance that is refused, and not the request. */
export function isOurAffair(sentence: string): boolean {
  return NO_CREDIT.test(sentence) || WRONG_KEY.test(sentence)
}
