/** Results that are no use, and jobs that are lost: final after a few looks, at the next provider or at no cost. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, type Script, ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { FetchError } from '../media/fetch-error.ts'
import { AssetGone, type GoneJobs, JOBS_IN_MEMORY, type Provider } from '../providers/provider.ts'
import { planOf } from './provider-set.ts'

/** A scripted provider that declares what it means that it does not know a job. */
function providerOf(id: string, script: Script, more: { goneJobs?: GoneJobs; startIsIdempotent?: boolean } = {}) {
  const { goneJobs, ...options } = more
  return Object.assign(new ScriptedProvider({ id, script, ...options }), goneJobs === undefined ? {} : { goneJobs })
}

function linkThat(fails: () => Error): PollStep {
  return { kind: 'succeeded', assets: [{ kind: 'video', download: () => Promise.reject(fails()) }] }
}

describe('a job that gives no video', () => {
  let shop: Workshop
  let wallet: WalletId

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
  })
  after(() => shop[Symbol.asyncDispose]())

  const good = (id: string) => new ScriptedProvider({ id, videoPath: shop.videoPath, script: { poll: ['video'] } })

  /** Waits for the end, without the pauses between looks. */
  async function ended(id: TaskId) {
    return await until('it has ended', async () => {
      await shop.hurry(id)
      const task = await shop.read(wallet, id)
      return task.finishedAt !== undefined && task
    })
  }

  async function routed(first: Provider, second: Provider | undefined): Promise<TaskId> {
    await shop.worker(planOf(second === undefined ? [first] : [first, second]))
    return await shop.create(wallet, first.id, { provider: first.id })
  }

  const RESULTS: readonly (readonly [fault: string, result: () => Promise<PollStep> | PollStep, looks: number])[] = [
    ['no video', () => ({ kind: 'succeeded', assets: [] }), 5],
    ['link gone', () => linkThat(() => new AssetGone('The link answers 404.')), 8],
    ['link refused', () => linkThat(() => new FetchError('url_refused', 'The URL may not be called.')), 3],
    [
      'wrong duration',
      async () => {
        const path = await writeTestVideo({ path: join(shop.folder, 'long.mp4'), durationSeconds: 3 })
        return { kind: 'succeeded', assets: [{ kind: 'video', path }] }
      },
      1,
    ],
  ]
  for (const [fault, result, looks] of RESULTS) {
    it(`(${fault}) fails after ${looks} looks and costs nothing, long before the deadline`, async () => {
      const provider = providerOf(`alone: ${fault}`, { poll: [await result()] })
      const before = await shop.balance(wallet)
      const id = await routed(provider, undefined)
      const task = await ended(id)
      assert.deepEqual([task.state, task.failure?.reason], ['failed', 'generation_failed'])
      assert.equal(provider.polls.length, looks)
      assert.deepEqual(await shop.balance(wallet), before)
    })

    it(`(${fault}) goes to the next provider of the route, at its price`, async () => {
      const first = providerOf(`first: ${fault}`, { poll: [await result()] })
      const second = good(`second: ${fault}`)
      const before = await shop.balance(wallet)
      const id = await routed(first, second)
      const task = await ended(id)
      assert.equal(task.state, 'succeeded')
      assert.equal((await shop.balance(wallet)).spent - before.spent, 10n)
      const [failed, succeeded] = await shop.attempts(id)
      assert.deepEqual([failed?.state, succeeded?.state], ['failed', 'succeeded'])
      assert.match(failed?.error ?? '', new RegExp(fault))
      assert.equal(first.jobs.length, 1)
    })
  }

  it('lets its provider discard its copy, though the store deletes nothing at that moment', async () => {
    const path = await writeTestVideo({ path: join(shop.folder, 'too long.mp4'), durationSeconds: 3 })
    const provider = providerOf('undeleted', { poll: [{ kind: 'succeeded', assets: [{ kind: 'video', path }] }] })
    const { deleteAll } = shop.store
    shop.store.deleteAll = () => Promise.reject(new Error('the store is away'))
    try {
      const id = await routed(provider, undefined)
      assert.equal((await ended(id)).state, 'failed')
      await until('the store was asked', () => shop.logged.some((line) => line.includes('the store is away')))
      await until('the provider has discarded it', () => provider.discards.length === 1)
    } finally {
      shop.store.deleteAll = deleteAll
    }
  })

  it('whose file host fails for a while is fetched again, however often', async () => {
    const away = linkThat(() => new FetchError('unreachable', 'No connection came about.'))
    const provider = new ScriptedProvider({
      id: 'host away',
      videoPath: shop.videoPath,
      script: { poll: [away, away, 'video'] },
    })
    const id = await routed(provider, undefined)
    assert.equal((await ended(id)).state, 'succeeded')
  })

  it('and is lost in the memory of an idempotent server is started again there with its token', async () => {
    const options = { startIsIdempotent: true, goneJobs: JOBS_IN_MEMORY }
    const poll: PollStep[] = [...Array.from({ length: 6 }, (): PollStep => ({ kind: 'gone' })), 'video']
    const provider = Object.assign(
      new ScriptedProvider({ id: 'forgetful', videoPath: shop.videoPath, startIsIdempotent: true, script: { poll } }),
      options,
    )
    const id = await routed(provider, undefined)
    assert.equal((await ended(id)).state, 'succeeded')
    assert.equal(new Set(provider.starts.map(({ token }) => token)).size, 1)
    assert.equal(provider.starts.length, 2)
    assert.deepEqual(
      (await shop.attempts(id)).map(({ state }) => state),
      ['succeeded'],
    )
  })

  it('and is lost again and again is given up', async () => {
    const options = { startIsIdempotent: true, goneJobs: { believedAfterMs: 0, isSurelyLost: true } }
    const provider = providerOf('deadly', { poll: [{ kind: 'gone' }] }, options)
    const before = await shop.balance(wallet)
    const id = await routed(provider, undefined)
    assert.equal((await ended(id)).state, 'failed')
    assert.equal(provider.starts.length, 3)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('and may be billed where it was lost is made by nobody else', async () => {
    const goneJobs = { believedAfterMs: 0, isSurelyLost: false }
    const other = good('never asked')
    const id = await routed(providerOf('billing', { poll: [{ kind: 'gone' }] }, { goneJobs }), other)
    assert.equal((await ended(id)).state, 'failed')
    assert.equal(other.starts.length, 0)
  })

  it('and is unknown to its provider holds no slot while it is waited for', async () => {
    const provider = new ScriptedProvider({ id: 'one slot', concurrency: 1, videoPath: shop.videoPath })
    provider.script('unknown', { poll: [{ kind: 'gone' }] })
    provider.script('next', { poll: ['video'] })
    await shop.worker(provider)
    const unknown = await shop.create(wallet, 'unknown', { provider: provider.id })
    const next = await shop.create(wallet, 'next', { provider: provider.id })
    assert.equal((await shop.ended(wallet, next)).state, 'succeeded')
    assert.equal((await shop.read(wallet, unknown)).state, 'running')
    await shop.pool.query(`update tasks set cancel_requested_at = now() where id = $1`, [uuidOf(unknown)])
    await shop.hurry(unknown)
    assert.equal((await shop.ended(wallet, unknown)).state, 'canceled')
  })
})
