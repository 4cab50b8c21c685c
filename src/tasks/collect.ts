import { access, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isPlanName, PLANS } from '../accounts/plans.ts'
import { BrokenMedia } from '../media/broken-media.ts'
import { FetchError } from '../media/fetch-error.ts'
import { faultPoint } from '../observe/fault-point.ts'
import { AssetGone, type ProducedAsset } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { downloadAsset } from './download-asset.ts'
import { giveUpResult } from './give-up.ts'
import { isFinal, type ResultFault } from './judge-look.ts'
import { keptLeaseMs } from './kept-lease.ts'
import { type LeasedTask, renewLease } from './lease-queries.ts'
import { discardStored, settle } from './settle.ts'
import type { StepContext } from './step-context.ts'
import { withinTime } from './within-time.ts'

/** A large video over a slow line. The lease is renewed meanwhile, and no deadline cuts it: the video has been paid for. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000

/** First pause before a finished video that could not be taken is looked at again. */
export const COLLECT_RETRY_MS = 2_000

/** How often the log says as an error that one video still cannot be taken. */
const COLLECT_ALERT_EVERY_MS = 10 * 60_000

/** A large video on a slow disk takes longer than any lease: while it is being stored the lease is renewed. */
const COLLECT_LEASE_MS = 60_000
const RENEW_EVERY_MS = COLLECT_LEASE_MS / 3

const SECONDS_A_DAY = 86_400

/**
 * Stores what the provider made, and settles. A task succeeds only when its video is stored, complete and probed. A video that
 * cannot be fetched or stored now is fetched again for as long as the provider keeps it, and never generated again; one that is
 * no use is final after a few looks.
 */
export async function collect(context: StepContext, task: LeasedTask, assets: readonly ProducedAsset[]): Promise<void> {
  if (!(await renewLease(context.db, task, COLLECT_LEASE_MS))) return
  const renewal = setInterval(() => {
    renewLease(context.db, task, COLLECT_LEASE_MS).catch((error: unknown) => {
      context.log.warn({ err: error, task: task.id }, 'a lease could not be renewed')
    })
  }, RENEW_EVERY_MS)
  try {
    await storeAndSettle(context, task, assets)
  } catch (error) {
    // Cut off by our own stopping: that says nothing about the video.
    if (!context.signal.aborted) await afterFault(context, task, error)
  } finally {
    clearInterval(renewal)
  }
}

async function storeAndSettle(context: StepContext, task: LeasedTask, assets: readonly ProducedAsset[]): Promise<void> {
  const video = assets.find((asset) => asset.kind === 'video')
  if (video === undefined) throw new AssetGone('The finished job names no video.')
  await using file = await fetched(context, task, video)
  const media = await context
    .ingest({
      path: file.path,
      taskId: task.id,
      fence: task.fence,
      request: task.request,
      provider: task.provider,
      sourceType: context.provider.sourceType,
      sizeStep: context.provider.sizeStep,
      keepSeconds: keepSeconds(task.plan),
    })
    .catch(async (error: unknown) => {
      if (!(error instanceof BrokenMedia)) context.storage.suspect(await sizeOf(file.path))
      await discardStored(context, task, { only: task.fence })
      throw error
    })
  await faultPoint('collect.stored')
  const settled = await settle(context, task, { state: 'succeeded', captureCredits: task.priceCredits, media })
  // Whoever has the task now stores under another fence; and what earlier leases left is no longer needed.
  await discardStored(context, task, settled ? { except: task.fence } : { only: task.fence })
}

/** The video as a file on this disk: where the provider left it, or fetched from where it is kept. */
async function fetched(
  { downloads, signal, storage }: StepContext,
  { id, fence }: LeasedTask,
  video: ProducedAsset,
): Promise<AsyncDisposable & { readonly path: string }> {
  if ('path' in video) {
    await access(video.path).catch((cause: unknown) => {
      throw new AssetGone('The file that the provider names is not there.', { cause })
    })
    return { path: video.path, [Symbol.asyncDispose]: async () => {} }
  }
  // The fence is of this lease alone: two that fetch the same video do not write into one file.
  const path = join(downloads, `${id}.${fence}`)
  const remove = () => rm(path, { force: true })
  try {
    const limit = { timeoutMs: DOWNLOAD_TIMEOUT_MS, signal }
    await withinTime(limit, (ending) => downloadAsset(video, { path, signal: ending }))
  } catch (error) {
    const sizeBytes = await sizeOf(path)
    await remove()
    if (faultOf(error) === undefined && !(error instanceof FetchError)) storage.suspect(sizeBytes)
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

/** Looks again later, unless the provider's answer is final by now, or the time for which it keeps the video is over. */
async function afterFault(context: StepContext, task: LeasedTask, error: unknown): Promise<void> {
  const fault = faultOf(error)
  const about = { err: error, task: task.id, provider: task.provider, fault }
  context.counters.collectFault(task.provider, fault ?? 'not fetched or stored')
  if (fault !== undefined && error instanceof Error && isFinal(fault, task.collectFaults)) {
    await giveUpResult(context, task, fault, error)
  } else if (task.cancelRequested) {
    await settle(context, task, { state: 'canceled' })
  } else if (task.leftMs <= 0) {
    context.log.error(about, 'the video could not be stored for as long as its provider keeps it: the task expires')
    await settle(context, task, { state: 'expired' })
  } else {
    const level = context.cadence.isDue(`collect ${task.id}`, COLLECT_ALERT_EVERY_MS) ? 'error' : 'warn'
    context.log[level](about, 'the finished video could not be fetched or stored: it is tried again')
    const tries = Math.max(task.collectFaults, task.unansweredPolls)
    const inMs = backoffMs(COLLECT_RETRY_MS, tries, context.random)
    const next = { inMs, keepLeaseMs: keptLeaseMs(context.provider) }
    const found = fault === undefined ? 'nothing' : 'no use'
    await context.polls.save({ task, progress: 0, found, next })
  }
}

/** The provider's fault in an error of collecting; `undefined`: the way to it, our disk, store or database failed. */
function faultOf(error: unknown): ResultFault | undefined {
  if (error instanceof AssetGone) return 'link gone'
  if (error instanceof FetchError) {
    if (error.reason === 'too_large') return 'too large'
    return error.reason === 'url_refused' || error.reason === 'address_refused' ? 'link refused' : undefined
  }
  if (!(error instanceof BrokenMedia)) return undefined
  switch (error.reason) {
    case 'wrong_duration':
      return 'wrong duration'
    case 'too_large':
      return 'too large'
    case 'not_a_video':
    case 'truncated':
    case 'unreadable':
    case 'no_picture':
      return 'broken file'
  }
}

function keepSeconds(plan: string): number {
  if (!isPlanName(plan)) throw new Error(`there is no plan ${plan}`)
  return PLANS[plan].keepResultsDays * SECONDS_A_DAY
}
