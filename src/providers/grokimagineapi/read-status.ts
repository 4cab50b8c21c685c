import type { PollOutcome } from '../provider.ts'
import { type LinkReader, linkedSuccess } from '../upstream/download.ts'
import { meaningOf, videoUrlIn, withStatus } from '../upstream/job-answer.ts'
import { pendingByHeader } from '../upstream/pending-by-header.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { isPolicy, isWrongFile } from './vendor-words.ts'
import { status } from './wire.ts'

/**
 * What the answer to a poll says; of its status words only `completed` is documented. Its object tells no progress. A job with an `error_message` and without a video has
 * failed, whatever the word: that is what the field is documented for. @throws Error where it is no status.
 */
export function readStatus(answer: UpstreamAnswer, videoAt: LinkReader): PollOutcome {
  const parsed = status.safeParse(withStatus(answer.json))
  if (!parsed.success) throw new Error(`The provider answers a poll with something that is no status: ${answer.shown}`)
  const { status: word, error_message: message } = parsed.data
  const meaning = meaningOf(word)
  const url = videoUrlIn(answer.json)
  if (meaning === 'done' && url !== undefined) return linkedSuccess(url, videoAt)
  if (meaning === 'failed' || (message ?? '') !== '') return failed(message ?? '', `${word}: ${message}`)
  if (meaning === 'done') return linkedSuccess(undefined, videoAt)
  if (meaning === 'expired') return { kind: 'expired' }
  const pending = pendingByHeader(answer)
  return meaning === 'pending' ? pending : { ...pending, unknownStatus: word }
}

function failed(message: string, cause: string): PollOutcome {
  if (isPolicy(message)) {
    const failure = { reason: 'moderated', message: 'The content policy withheld this video.' } as const
    return { kind: 'failed', failure, cause }
  }
  if (isWrongFile(message)) {
    const failure = { reason: 'unsupported_input', message: 'The provider cannot make this video.' } as const
    return { kind: 'failed', failure, cause }
  }
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}
