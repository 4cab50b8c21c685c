import type { PollOutcome } from '../provider.ts'
import { type LinkReader, linkedSuccess } from '../upstream/download.ts'
import { meaningOf, videoUrlIn, withStatus } from '../upstream/job-answer.ts'
import { readProgress } from '../upstream/read-progress.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { isPolicy, isPolicyRefusal } from './vendor-words.ts'
import { status, type XaiStatus } from './wire.ts'

/** While a job is not over its status is answered with this, and the body may be empty (documented). */
const STILL_PENDING = 202

/** A poll that is refused because of what the video shows: that is the end of the job. `undefined` for any other answer. */
export function readWithheld(answer: UpstreamAnswer): PollOutcome | undefined {
  return isPolicyRefusal(answer) ? moderated(`HTTP ${answer.status}: ${answer.shown}`) : undefined
}

/** What the answer to a poll says, 200 or 202. @throws Error where it is no status. */
export function readStatus(answer: UpstreamAnswer, videoAt: LinkReader): PollOutcome {
  const parsed = status.safeParse(withStatus(answer.json))
  if (!parsed.success) {
    if (answer.status === STILL_PENDING && answer.shown === '') return { kind: 'pending' }
    throw new Error(`The provider answers a poll with something that is no status: ${answer.shown}`)
  }
  const { status: word, progress, video } = parsed.data
  switch (meaningOf(word)) {
    case 'pending':
      return pending(progress)
    case 'done':
      if (video?.respect_moderation === false) return moderated('done, with respect_moderation false')
      return linkedSuccess(videoUrlIn(answer.json), videoAt)
    case 'failed':
      return failed(parsed.data)
    case 'expired':
      return { kind: 'expired' }
    case undefined:
      return { ...pending(progress), unknownStatus: word }
  }
}

function pending(progress: unknown): Extract<PollOutcome, { kind: 'pending' }> {
  const percent = readProgress(progress)
  return percent === undefined ? { kind: 'pending' } : { kind: 'pending', progress: percent }
}

/** What the content policy blocks comes as `invalid_argument`, which is also the code of an argument that is wrong. */
function failed({ error }: XaiStatus): PollOutcome {
  const { code = undefined, message } = error ?? {}
  const cause = `failed: ${code ?? 'no code'}: ${message ?? ''}`
  if (isPolicy(message ?? '')) return moderated(cause)
  if (code === 'invalid_argument') {
    const failure = { reason: 'unsupported_input', message: 'The provider cannot make this video.' } as const
    return { kind: 'failed', failure, cause }
  }
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}

function moderated(cause: string): PollOutcome {
  const failure = { reason: 'moderated', message: 'The content policy withheld this video.' } as const
  return { kind: 'failed', failure, cause }
}
