import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isPlanName, PLANS } from '../accounts/plans.ts'
import { isTerminal } from '../canonical/task-state.ts'
import { BrokenMedia } from '../media/broken-media.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { ProducedAsset } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { downloadAsset } from './download-asset.ts'
import { type LeasedTask, renewLease } from './lease-queries.ts'
import { settle } from './settle.ts'
import { selectState } from './settle-queries.ts'
import { keptLeaseMs } from './start.ts'
import type { StepContext } from './step-context.ts'
import { withinTime } from './within-time.ts'

/** A large video over a slow line. The lease is renewed meanwhile. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000

/** Beyond its deadline, for a video that is done just before it: it has been paid for. */
const DOWNLOAD_GRACE_MS = 60_000

/** First pause before a file that could not be taken is fetched again. */
const COLLECT_RETRY_MS = 2_000

/** A large video on a slow disk takes longer than any lease: while it is being stored the lease is renewed. */
const COLLECT_LEASE_MS = 60_000
const RENEW_EVERY_MS = COLLECT_LEASE_MS / 3

const SECONDS_A_DAY = 86_400

/**
 * Stores what the provider made, and settles. A task succeeds only when its video is stored, complete and probed; a file
 * that is broken or cannot be fetched is fetched again, until the deadline, and never generated again.
 */
export async function collect(context: StepContext, task: LeasedTask, assets: readonly ProducedAsset[]): Promise<void> {
  const video = assets.find((asset) => asset.kind === 'video')
  if (!(await renewLease(context.db, task, COLLECT_LEASE_MS))) return
  const renewal = setInterval(() => {
    renewLease(context.db, task, COLLECT_LEASE_MS).catch((error: unknown) => {
      context.log.warn({ err: error, task: task.id }, 'a lease could not be renewed')
    })
  }, RENEW_EVERY_MS)
  try {
    if (video === undefined) throw new Error('the provider says that it is done, but gives no video')
    await using file = await fetched(context, task, video)
    const media = await context.ingest({
      path: file.path,
      taskId: task.id,
      request: task.request,
      provider: task.provider,
      sourceType: context.provider.sourceType,
      keepSeconds: keepSeconds(task.plan),
    })
    await faultPoint('collect.stored')
    const settled = await settle(context, task, { state: 'succeeded', captureCredits: task.priceCredits, media })
    if (!settled) await discardUnwanted(context, task)
  } catch (error) {
    if (error instanceof BrokenMedia && (error.reason === 'wrong_duration' || error.reason === 'too_large')) {
      // The file will not change: fetching it again gives the same.
      await settle(context, task, { state: 'failed', reason: 'generation_failed', message: error.message })
      return
    }
    context.log.error({ err: error, task: task.id, provider: task.provider }, 'the video could not be collected')
    const inMs = backoffMs(COLLECT_RETRY_MS, task.unansweredPolls, context.random)
    const next = { inMs, keepLeaseMs: keptLeaseMs(context.provider) }
    await context.polls.save({ task, progress: 0, answered: false, next })
  } finally {
    clearInterval(renewal)
  }
}

/** The video as a file on this disk: where the provider left it, or fetched from where it is kept. */
async function fetched(
  { downloads, signal }: StepContext,
  { id, fence, leftMs }: LeasedTask,
  video: ProducedAsset,
): Promise<AsyncDisposable & { readonly path: string }> {
  if ('path' in video) return { path: video.path, [Symbol.asyncDispose]: async () => {} }
  // The fence is of this lease alone: two that fetch the same video do not write into one file.
  const path = join(downloads, `${id}.${fence}`)
  const remove = () => rm(path, { force: true })
  try {
    const limit = { timeoutMs: Math.min(DOWNLOAD_TIMEOUT_MS, leftMs + DOWNLOAD_GRACE_MS), signal }
    await withinTime(limit, (ending) => downloadAsset(video, { path, signal: ending }))
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

/** The task ended otherwise while its video was being stored: no row names the files, so nothing else would find them. */
async function discardUnwanted(context: StepContext, task: LeasedTask): Promise<void> {
  const state = await selectState(context.db, task.id)
  if (state !== undefined && isTerminal(state) && state !== 'succeeded') await context.discardIngested(task.id)
}

function keepSeconds(plan: string): number {
  if (!isPlanName(plan)) throw new Error(`there is no plan ${plan}`)
  return PLANS[plan].keepResultsDays * SECONDS_A_DAY
}
