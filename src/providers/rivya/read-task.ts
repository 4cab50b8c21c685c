import type { PollOutcome, ProducedAsset } from '../provider.ts'
import { pendingByHeader } from '../upstream/pending-by-header.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { type RivyaTask, task } from './wire.ts'

/** What the answer to a poll says. The API's object tells no progress. @throws Error where it is no task. */
export function readTask(answer: UpstreamAnswer, videoAt: (url: string) => ProducedAsset): PollOutcome {
  const parsed = task.safeParse(answer.json)
  if (!parsed.success) throw new Error(`The provider answers a poll with something that is no task: ${answer.shown}`)
  const { status, result } = parsed.data
  switch (status) {
    case 'queued':
    case 'processing':
      return pendingByHeader(answer)
    case 'succeeded': {
      const url = result?.primary_url || result?.urls?.[0]
      return { kind: 'succeeded', assets: url === undefined || url === '' ? [] : [videoAt(url)] }
    }
    case 'failed':
    case 'canceled':
    case 'cancelled':
      return failed(parsed.data)
    default:
      return { ...pendingByHeader(answer), unknownStatus: status }
  }
}

/** The one documented code is `generation_failed`: why, the API does not tell. */
function failed({ status, error }: RivyaTask): PollOutcome {
  const cause = `${status}: ${error?.code ?? 'no code'}: ${error?.message ?? ''}`
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}
