import type { Json } from '../../canonical/json.ts'
import type { PollOutcome, ProducedAsset } from '../provider.ts'
import { meaningOf, videoUrlIn, withStatus } from '../upstream/job-answer.ts'
import { readProgress } from '../upstream/read-progress.ts'
import { isPolicyCode } from './refused-create.ts'
import { video } from './wire.ts'

/**
 * What the answer to a poll says. A job that was deleted or canceled over there has failed, whoever did it: we ask for
 * that only when nobody waits any more. `videoAt` is given the URL of the video, where the answer names one: gateways do that
 * have no route for its content. @throws Error where it is no video object.
 */
export function readVideo(json: Json | undefined, videoAt: (named: string | undefined) => ProducedAsset): PollOutcome {
  const parsed = video.safeParse(withStatus(json))
  if (!parsed.success) throw new Error('The provider answers a poll with something that is no video object.')
  const { status, progress, error } = parsed.data
  switch (meaningOf(status)) {
    case 'pending':
      return pending(progress)
    case 'done':
      return { kind: 'succeeded', assets: [videoAt(videoUrlIn(json))] }
    case 'failed':
      return failed(error?.code ?? undefined, `${status}: ${error?.code ?? 'no code'}: ${error?.message ?? ''}`)
    case 'expired':
      return { kind: 'expired' }
    case undefined:
      return { ...pending(progress), unknownStatus: status }
  }
}

function pending(progress: unknown): Extract<PollOutcome, { kind: 'pending' }> {
  const percent = readProgress(progress)
  return percent === undefined ? { kind: 'pending' } : { kind: 'pending', progress: percent }
}

/** The codes after the policy's are Reelay's own, so that one of them behind another tells the same. */
function failed(code: string | undefined, cause: string): PollOutcome {
  if (isPolicyCode(code)) {
    return {
      kind: 'failed',
      failure: { reason: 'moderated', message: 'The content policy withheld this video.' },
      cause,
    }
  }
  if (code === 'expired') return { kind: 'expired' }
  if (code === 'invalid_input') {
    const message = 'The provider cannot make this video.'
    return { kind: 'failed', failure: { reason: 'unsupported_input', message }, cause }
  }
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}
