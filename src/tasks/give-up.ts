/**
 * The end of a job that gives no video: its finished result is no use, or the job itself is nowhere. The customer's task goes on
 * at another provider where there is one, at the same price; else it fails, and costs nothing.
 */
import { BrokenMedia } from '../media/broken-media.ts'
import { DURABLE_JOBS } from '../providers/provider.ts'
import type { OverAttempt } from './attempt-queries.ts'
import { afterLoss, type ResultFault } from './judge-look.ts'
import type { LeasedTask } from './lease-queries.ts'
import { passOn, requeue } from './pass-on.ts'
import { discardCopy, discardStored, settle } from './settle.ts'
import type { StepContext } from './step-context.ts'

/** What the customer is told; the operator reads the cause in the log and in `reelay tasks show`. */
const MESSAGES: Readonly<Record<ResultFault, string>> = {
  'no video': 'The provider finished without a video.',
  'link gone': 'The provider no longer has the video.',
  'link refused': 'The provider gave a link to the video that cannot be followed.',
  'broken file': 'The provider made a file that is not a whole video.',
  'wrong duration': 'The provider made a video of another length.',
  'too large': 'The provider made a video that is too large.',
}

/** The provider's finished answer holds no video that can be taken, and will not change. */
export async function giveUpResult(
  context: StepContext,
  task: LeasedTask,
  fault: ResultFault,
  error: Error,
): Promise<void> {
  context.counters.unusableResult(task.provider, fault)
  context.log.error(
    { err: error, task: task.id, provider: task.provider, fault },
    'the provider finished without a video that can be taken: its answer is final',
  )
  const ended = endedAttempt(task, { state: 'failed', because: 'result', error: `${fault}: ${error.message}` })
  if (ended !== undefined && (await passOn(context, task, ended))) {
    await discardResult(context, task)
    return await discardCopy(context, task)
  }
  const message = error instanceof BrokenMedia && fault !== 'broken file' ? error.message : MESSAGES[fault]
  await settle(context, task, { state: 'failed', reason: 'generation_failed', message })
}

/** The provider has said for long enough that it does not know the job. */
export async function giveUpJob(context: StepContext, task: LeasedTask, cause: string | undefined): Promise<void> {
  const { provider, isRetired, log, counters } = context
  const { goneJobs = DURABLE_JOBS, startIsIdempotent } = provider
  counters.lostJob(task.provider)
  const { lostJobs: lostBefore, leftMs } = task
  const next = afterLoss({ goneJobs, startIsIdempotent, isRetired, lostBefore, leftMs })
  const about = { task: task.id, provider: task.provider, lostBefore, cause }
  log.error({ ...about, beginsAnew: next.same || next.other }, 'the provider lost the job')
  const ended = endedAttempt(task, { state: 'lost', error: cause ?? 'the provider does not know the job' })
  const isTaken =
    ended !== undefined &&
    ((next.same && (await requeue(context, task, { provider: task.provider, ended }))) ||
      (next.other && (await passOn(context, task, ended))))
  if (isTaken) return await discardResult(context, task)
  const message = 'The provider lost the generation.'
  await settle(context, task, { state: 'failed', reason: 'generation_failed', message })
}

/**
 * Deletes what an earlier try has stored of this result. Only once the task was taken out of this lease, for otherwise another
 * lease may have won, and these files may be its own.
 */
async function discardResult(context: StepContext, task: LeasedTask): Promise<void> {
  if (task.state === 'collecting') await discardStored(context, task)
}

function endedAttempt({ attempt }: LeasedTask, ended: Omit<OverAttempt, 'attempt'>): OverAttempt | undefined {
  return attempt === undefined ? undefined : { attempt: attempt.id, ...ended }
}
