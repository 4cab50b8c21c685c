import { isJsonObject } from '../../canonical/json.ts'
import type { PollOutcome } from '../provider.ts'
import { type LinkReader, linkedSuccess } from '../upstream/download.ts'
import { meaningOf, unwrapped, videoUrlIn } from '../upstream/job-answer.ts'
import { pendingByHeader } from '../upstream/pending-by-header.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { type AcedataResponse, task } from './wire.ts'

/** What the answer to a poll says. The API's object tells no progress. @throws Error where it is no task. */
export function readTask(answer: UpstreamAnswer, videoAt: LinkReader): PollOutcome {
  const body = unwrapped(answer.json)
  const parsed = task.safeParse(body)
  if (!parsed.success) throw new Error(`The provider answers a poll with something that is no task: ${answer.shown}`)
  const { response } = parsed.data
  if (response === undefined || response === null) return pendingByHeader(answer)
  if (response.success === false) return failed(response)
  const [video] = response.data ?? []
  const state = video?.state ?? 'succeeded'
  switch (meaningOf(state)) {
    case 'done':
      return linkedSuccess(isJsonObject(body) ? videoUrlIn(body['response']) : undefined, videoAt)
    case 'pending':
      return pendingByHeader(answer)
    case 'failed':
      return failed(response)
    case 'expired':
      return { kind: 'expired' }
    case undefined:
      return { ...pendingByHeader(answer), unknownStatus: state }
  }
}

/** The codes are those of refusals; none is documented for a task that failed. */
function failed({ error }: AcedataResponse): PollOutcome {
  const cause = `failed: ${error?.code ?? 'no code'}: ${error?.message ?? ''}`
  switch (error?.code) {
    case 'forbidden': {
      const failure = { reason: 'moderated', message: 'The content policy withheld this video.' } as const
      return { kind: 'failed', failure, cause }
    }
    case 'bad_request': {
      const failure = { reason: 'unsupported_input', message: 'The provider cannot make this video.' } as const
      return { kind: 'failed', failure, cause }
    }
    default:
      return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
  }
}
