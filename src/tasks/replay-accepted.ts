import pg from 'pg'
import { isDatabaseAway } from '../db/database-away.ts'
import type { AcceptedJob, AcceptedJournal } from './accepted-journal.ts'
import { saveLate } from './save-accepted.ts'
import type { StepContext } from './step-context.ts'

/**
 * Saves what a process before this one was told by providers and could not save: to be done before anything else takes its
 * tasks up. Returns the jobs that are unwanted by now.
 * @throws where the journal cannot be read or the database is away: the journal then stays as it is.
 */
export async function replayAccepted(
  journal: AcceptedJournal,
  context: Pick<StepContext, 'db' | 'deadlines' | 'log'>,
): Promise<AcceptedJob[]> {
  const { log } = context
  const { jobs, damagedLines, forget } = await journal.takeUp()
  if (damagedLines > 0) {
    log.error(
      { damagedLines },
      'damaged lines of the journal of accepted jobs were dropped: their attempts are uncertain',
    )
  }
  const unwanted: AcceptedJob[] = []
  for (const job of jobs) {
    try {
      if ((await saveLate(context, job)) === 'unwanted') unwanted.push(job)
    } catch (err) {
      if (isDatabaseAway(err) || !(err instanceof pg.DatabaseError)) throw err
      log.error({ err, ...job }, 'the database refuses an accepted job of the journal: look it up at the provider')
    }
  }
  await forget()
  if (jobs.length > 0)
    log.info({ jobs: jobs.length }, 'saved accepted jobs that the process before had left in its journal')
  return unwanted
}
