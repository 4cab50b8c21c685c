import type { PollOutcome } from '../provider.ts'
import { readProgress } from './read-progress.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** What a Reelay sends beside objects of other vendors' APIs that have no place for progress; those vendors send nothing. */
const PROGRESS_HEADER = 'generation-progress'

/** A job that is under way, by an answer whose body tells no progress. */
export function pendingByHeader({
  headers,
}: Pick<UpstreamAnswer, 'headers'>): Extract<PollOutcome, { kind: 'pending' }> {
  const progress = readProgress(headers[PROGRESS_HEADER])
  return progress === undefined ? { kind: 'pending' } : { kind: 'pending', progress }
}
