/**
 * Saving the operation of a job that a provider has accepted: it is all that is known of a job that somebody may bill.
 * Whatever has become of the task meanwhile, the attempt gets it, so that an operator can hold the provider's bill
 * against the attempts. A job that comes too late for its task is canceled.
 */
import { faultPoint } from '../observe/fault-point.ts'
import type { AcceptedJob } from './accepted-journal.ts'
import {
  isJobOfAnother,
  isOperationSaved,
  keepUnwantedOperation,
  parkUncertain,
  saveLateOperation,
  saveOperation,
} from './attempt-queries.ts'
import { cancelJob } from './cancel-job.ts'
import { keptLeaseMs } from './kept-lease.ts'
import type { LeasedTask } from './lease-queries.ts'
import type { StepContext } from './step-context.ts'

/** `unwanted`: the task has ended, or goes on without this job. */
export type SaveOutcome = 'saved' | 'of another' | 'unwanted'

/** Saves an accepted job, however long that takes: first on this disk, then in the database. */
export async function saveAccepted(context: StepContext, task: LeasedTask, job: AcceptedJob): Promise<void> {
  const { provider, accepted } = context
  // A job that runs inside this process ends with it: a repeat makes it again, and nobody bills it.
  if (provider.affinity !== 'worker') await accepted.write(job)
  const outcome = await accepted.untilSaved(job, () => saveOnce(context, task, job))
  if (outcome === 'saved') await faultPoint('start.saved')
  if (outcome === 'unwanted') await cancelJob(context, task, job.operation)
}

async function saveOnce(context: StepContext, task: LeasedTask, job: AcceptedJob): Promise<SaveOutcome> {
  const { db, provider, deadlines } = context
  const next = { inMs: provider.pollEveryMs, keepLeaseMs: keptLeaseMs(provider) }
  const saveNow = async () =>
    (await saveOperation(db, task, { ...job, next, deadlineSeconds: deadlines.taskSeconds })) ? 'saved' : undefined
  const outcome = (await unlessOfAnother(saveNow)) ?? (await saveLate(context, job))
  if (outcome !== 'of another') return outcome
  const error = 'the provider answered with the job of another task'
  context.log.error({ ...job, cause: error }, 'attempt is uncertain: not repeated')
  await parkUncertain(db, task, { attempt: job.attempt, error, seconds: deadlines.uncertainSeconds })
  return outcome
}

/**
 * Saves an accepted job whose task this process no longer holds. The task goes on with it if it still waits for what comes
 * of the attempt; else the attempt keeps it, and the job is unwanted.
 */
export async function saveLate(
  { db, deadlines, log }: Pick<StepContext, 'db' | 'deadlines' | 'log'>,
  job: AcceptedJob,
): Promise<SaveOutcome> {
  const deadlineSeconds = deadlines.taskSeconds
  const late = async () => ((await saveLateOperation(db, job.task, { ...job, deadlineSeconds })) ? 'saved' : undefined)
  const outcome = await unlessOfAnother(late)
  if (outcome === 'saved') log.warn(job, 'a job was accepted late: it is known what came of it')
  if (outcome !== undefined) return outcome
  const isKept = await keepUnwantedOperation(db, job)
  // An earlier try may have been committed though its answer was lost; another worker may have been told of the same job.
  if (!isKept && (await isOperationSaved(db, job))) return 'saved'
  log.error({ ...job, isKept }, 'a job was accepted after its task had ended or changed hands')
  return 'unwanted'
}

async function unlessOfAnother<Outcome>(save: () => Promise<Outcome>): Promise<Outcome | 'of another'> {
  try {
    return await save()
  } catch (error) {
    if (isJobOfAnother(error)) return 'of another'
    throw error
  }
}
