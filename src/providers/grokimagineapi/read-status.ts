import type { PollOutcome, ProducedAsset } from '../provider.ts'
import { pendingByHeader } from '../upstream/pending-by-header.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { isPolicy, isWrongFile } from './vendor-words.ts'
import { status } from './wire.ts'

/** Of the words only `completed` is documented; the other three are those that such an API would use. */
const PENDING: readonly string[] = ['pending', 'processing']

/**
 * What the answer to a poll says. Its object tells no progress. A job with an `error_message` and without a video has
 * failed, whatever the word: that is what the field is documented for. @throws Error where it is no status.
 */
export function readStatus(answer: UpstreamAnswer, videoAt: (url: string) => ProducedAsset): PollOutcome {
  const parsed = status.safeParse(answer.json)
  if (!parsed.success) throw new Error(`The provider answers a poll with something that is no status: ${answer.shown}`)
  const { status: word, error_message: message, response } = parsed.data.data
  const url = response?.[0] ?? ''
  if (word === 'completed' && url !== '') return { kind: 'succeeded', assets: [videoAt(url)] }
  if (word === 'failed' || (message ?? '') !== '') return failed(message ?? '', `${word}: ${message}`)
  if (word === 'completed') return { kind: 'succeeded', assets: [] }
  const pending = pendingByHeader(answer)
  return PENDING.includes(word) ? pending : { ...pending, unknownStatus: word }
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
