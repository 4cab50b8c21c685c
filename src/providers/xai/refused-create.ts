import type { StartOutcome } from '../provider.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { isOurAffair, isPolicyRefusal } from './vendor-words.ts'
import { refusal } from './wire.ts'

/** What a create means that was answered with anything but success. */
export function refusedCreate(answer: UpstreamAnswer): StartOutcome {
  const sentence = refusal.safeParse(answer.json).data?.error ?? ''
  const cause = `HTTP ${answer.status}: ${answer.shown}`
  if (answer.status >= 400 && answer.status < 500) {
    // Before the key: such a sentence names the id of our key.
    if (isPolicyRefusal(answer)) return rejected('policy', cause)
    if (isOurAffair(sentence)) return rejected('credentials', cause)
  }
  return refusedStart(answer)
}
