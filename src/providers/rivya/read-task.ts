import type { PollOutcome } from '../provider.ts'
import { type LinkReader, linkedSuccess } from '../upstream/download.ts'
import { meaningOf, videoUrlIn, withStatus } from '../upstream/job-answer.ts'
import { pendingByHeader } from '../upstream/pending-by-header.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { type RivyaTask, task } from './wire.ts'

/** What the answer to a poll says. The API's object tells no progress. @throws Error where it is no task. */
export function readTask(answer: UpstreamAnswer, videoAt: LinkReader): PollOutcome {
  const parsed = task.safeParse(withStatus(answer.json))
  if (!parsed.success) throw new Error(`The provider answers a poll with something that is no task: ${answer.shown}`)
  const { status } = parsed.data
  switch (meaningOf(status)) {
    case 'pending':
      return pendingByHeader(answer)
    case 'done':
      return linkedSuccess(videoUrlIn(answer.json), videoAt)
    case 'failed':
      return failed(parsed.data)
    case 'expired':
      return { kind: 'expired' }
    case undefined:
      return { ...pendingByHeader(answer), unknownStatus: status }
  }
}

/** The one documented code is `generation_failed`: why, the API does not tell. */
function failed({ status, error }: RivyaTask): PollOutcome {
  const cause = `${status}: ${error?.code ?? 'no code'}: ${error?.message ?? ''}`
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}
