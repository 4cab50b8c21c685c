/** A task succeeds only with its video stored, complete and probed; a video is fetched again, never generated again. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { BrokenMedia } from '../media/broken-media.ts'
import { taskFolder } from '../media/media-keys.ts'
import { sweepExpiredMedia } from '../media/retention.ts'
import { setFaultHook } from '../observe/fault-point.ts'
import type { FinishedVideo } from './step-context.ts'

describe('collecting a video', () => {
  let shop: Workshop
  let wallet: WalletId
  let provider: ScriptedProvider

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
    provider = new ScriptedProvider({ videoPath: shop.videoPath })
    await shop.worker(provider)
  })
  after(() => shop[Symbol.asyncDispose]())

  const pollsOf = (prompt: string) => provider.polls.filter((call) => call.prompt === prompt).length

  /** Files of a task in the store, whether a row names them or not. */
  async function storedFiles(id: TaskId): Promise<string[]> {
    return await readdir(join(shop.folder, 'store', taskFolder(id)), { recursive: true }).catch(() => [])
  }

  function delivering(path: string): PollStep {
    return { kind: 'succeeded', assets: [{ kind: 'video', path }] }
  }

  /** The file as it is after something went wrong with it. */
  async function broken(name: string, breakIt: (path: string) => Promise<void>): Promise<PollStep> {
    const path = join(shop.folder, name)
    await copyFile(shop.videoPath, path)
    await breakIt(path)
    return delivering(path)
  }

  const BROKEN: readonly (readonly [name: string, step: () => Promise<PollStep>])[] = [
    ['success without a video', async () => ({ kind: 'succeeded', assets: [] })],
    ['a file that is not there', async () => delivering(join(shop.folder, 'absent.mp4'))],
    ['an empty file', () => broken('empty.mp4', (path) => truncate(path, 0))],
    ['a truncated file', () => broken('cut.mp4', async (path) => truncate(path, (await readFile(path)).length - 500))],
    ['JSON saved as .mp4', () => broken('json.mp4', (path) => writeFile(path, '{"error":"url expired"}'))],
    ['a page saved as .mp4', () => broken('page.mp4', (path) => writeFile(path, '<html>Not found</html>'.repeat(500)))],
  ]
  for (const [name, step] of BROKEN) {
    it(`after ${name} is tried again until it is whole; the video is not generated again`, async () => {
      const bad = await step()
      provider.script(name, { poll: [bad, bad, bad, 'video'] })
      const before = await shop.balance(wallet)
      const id = await shop.create(wallet, name)
      await until('it was asked for three times', async () => {
        await shop.hurry(id)
        return pollsOf(name) >= 3
      })
      const { state, media } = await shop.read(wallet, id)
      assert.ok((state === 'collecting' || name === 'success without a video') && media.length === 0, state)
      assert.equal((await shop.balance(wallet)).held - before.held, 10n)
      await until('it was asked for once more', async () => {
        await shop.hurry(id)
        return pollsOf(name) >= 4
      })
      const task = await shop.ended(wallet, id)
      assert.equal(task.state, 'succeeded')
      assert.equal(provider.startsOf(name), 1)
      assert.equal(provider.jobsOf(name), 1)
      assert.equal((await shop.balance(wallet)).spent - before.spent, 10n)
    })
  }

  it('of another length than was ordered and quoted fails the task, which costs nothing', async () => {
    const path = await writeTestVideo({ path: join(shop.folder, 'long.mp4'), durationSeconds: 3 })
    provider.script('too long', { poll: [delivering(path)] })
    const task = await shop.ended(wallet, await shop.create(wallet, 'too long'))
    assert.equal(task.state, 'failed')
    assert.equal(task.finalCredits, 0n)
  })

  it('whose download expired at the provider in the meantime ends as the provider says, without charge', async () => {
    provider.script('gone', { poll: [{ kind: 'succeeded', assets: [] }, { kind: 'expired' }] })
    const id = await shop.create(wallet, 'gone')
    await until('it was asked for twice', async () => {
      await shop.hurry(id)
      return pollsOf('gone') >= 2
    })
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'expired')
    assert.equal(task.finalCredits, 0n)
  })

  it('that cannot be fetched is tried once more for an owner who asks to cancel, and then canceled', async () => {
    const absent = delivering(join(shop.folder, 'absent.mp4'))
    // The request arrives while the step that finds the finished video is under way.
    provider.script('canceled too late', {
      poll: [
        async () => {
          await shop.pool.query(
            `update tasks set cancel_requested_at = now() where body ->> 'prompt' = 'canceled too late'`,
          )
          return absent
        },
        absent,
      ],
    })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'canceled too late')
    const seconds = await until('its pause is written', async () => {
      const { rows } = await shop.pool.query<{ seconds: number }>(
        `select extract(epoch from due_at - now())::float8 as seconds from tasks
         where id = $1 and state = 'collecting' and lease_owner is null`,
        [uuidOf(id)],
      )
      return rows[0]?.seconds
    })
    assert.ok(seconds > 0.5, `due in ${seconds} s`)
    assert.equal(pollsOf('canceled too late'), 1)
    await shop.hurry(id)
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(pollsOf('canceled too late'), 2)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('run twice leaves what it leaves once: the worker dies after storing, another collects again', async () => {
    provider.script('twice', { poll: ['video'] })
    let stored = 0
    setFaultHook((point) => {
      if (point !== 'collect.stored') return
      stored += 1
      if (stored === 1) throw new Error('this worker dies here')
    })
    const id = await shop.create(wallet, 'twice')
    await until('it was stored twice', async () => {
      await shop.hurry(id)
      return stored === 2
    })
    setFaultHook(undefined)
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'succeeded')
    assert.equal(task.media.length, 4)
    const { rows } = await shop.pool.query<{ store_key: string; sha256: Buffer; size_bytes: bigint }>(
      'select store_key, sha256, size_bytes from media where task_id = $1',
      [uuidOf(id)],
    )
    for (const row of rows) {
      const bytes = await buffer(await shop.store.open(row.store_key))
      assert.equal(BigInt(bytes.length), row.size_bytes)
    }
    assert.equal(provider.startsOf('twice'), 1)
  })

  it('for a task that expired in the meantime leaves no file behind, charges nothing and does not revive it', async () => {
    provider.script('expired while stored', { poll: ['video'] })
    setFaultHook(async (point) => {
      if (point !== 'collect.stored') return
      await shop.pool.query(
        `select settle_task(id, null, array['collecting'], 'expired', 0, null, null, '[]') from tasks
         where body ->> 'prompt' = 'expired while stored'`,
      )
    })
    const id = await shop.create(wallet, 'expired while stored')
    const ended = await shop.ended(wallet, id)
    setFaultHook(undefined)
    assert.equal(ended.state, 'expired')
    await until('its files are gone', async () => {
      return (await storedFiles(id)).length === 0
    })
    assert.equal((await shop.read(wallet, id)).state, 'expired')
  })

  it('that stored its files and then ran out of time leaves no file behind', async () => {
    provider.script('stored, then late', { poll: ['video', delivering(join(shop.folder, 'absent.mp4'))] })
    setFaultHook((point) => {
      if (point === 'collect.stored') throw new Error('this worker dies here')
    })
    const id = await shop.create(wallet, 'stored, then late')
    await until('its files are stored', async () => (await storedFiles(id)).some((name) => name.endsWith('video.mp4')))
    await until('the step has ended', async () => {
      const { rows } = await shop.pool.query(`select from tasks where id = $1 and lease_owner is null`, [uuidOf(id)])
      return rows.length === 1
    })
    setFaultHook(undefined)
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    await until('its files are gone', async () => {
      return (await storedFiles(id)).length === 0
    })
  })

  it('by a worker that wakes after another has won changes nothing of what won, and leaves nothing behind', async () => {
    for (const [name, isRemoved] of [
      ['won by another', false],
      ['won, then deleted', true],
    ] as const) {
      provider.script(name, { poll: ['video'] })
      let wake = () => {}
      const asleep = new Promise<void>((resolve) => (wake = resolve))
      let ingests = 0
      const [slow, quick] = ['slow', 'quick'].map((id) => ({
        id: `${id} ${name}`,
        ingest: async (video: FinishedVideo) => {
          ingests += 1
          if (ingests === 1) await asleep
          return shop.ingest(video)
        },
      }))
      const only = new ScriptedProvider({ id: name, videoPath: shop.videoPath, script: { poll: ['video'] } })
      const sleeper = await shop.worker(only, slow)
      const id = await shop.create(wallet, name, { provider: name })
      await until('the first worker sleeps', () => ingests === 1)
      const other = await shop.worker(only, quick)
      await shop.endLease(id)
      assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
      const won = await storedFiles(id)
      assert.ok(won.length > 0)
      if (isRemoved) {
        await shop.pool.query('update media set expires_at = now() where task_id = $1', [uuidOf(id)])
        await sweepExpiredMedia({ db: shop.pool, store: shop.store, log: { error: assert.fail }, limit: 100 })
        assert.deepEqual(await storedFiles(id), [])
      }
      wake()
      await shop.stop(sleeper)
      await shop.stop(other)
      assert.equal(ingests, 2)
      assert.deepEqual(await storedFiles(id), isRemoved ? [] : won)
      for (const { store_key, sha256 } of isRemoved ? [] : await mediaOf(id)) {
        const bytes = await buffer(await shop.store.open(store_key))
        assert.ok(createHash('sha256').update(bytes).digest().equals(sha256), store_key)
      }
    }
  })

  it('by a worker that wakes after another has won, and finds its own file unusable, leaves what won in the store', async () => {
    let wake = () => {}
    const asleep = new Promise<void>((resolve) => (wake = resolve))
    let ingests = 0
    const ingest = async (video: FinishedVideo) => {
      ingests += 1
      if (ingests > 1) return await shop.ingest(video)
      await asleep
      // Final at the first look.
      throw new BrokenMedia('wrong_duration', 'The video is 9 s long, and 1 s was ordered.')
    }
    const only = new ScriptedProvider({ id: 'unusable', videoPath: shop.videoPath, script: { poll: ['video'] } })
    await shop.worker(only, { ingest })
    const id = await shop.create(wallet, 'unusable', { provider: only.id })
    await until('the first worker sleeps', () => ingests === 1)
    await shop.worker(only, { ingest })
    await shop.endLease(id)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    const won = await storedFiles(id)
    assert.ok(won.length > 0)
    wake()
    await until('the first worker has given up', () =>
      shop.logged.some((line) => line.includes('settlement came too late') && line.includes(id)),
    )
    assert.deepEqual(await storedFiles(id), won)
  })

  async function mediaOf(id: TaskId): Promise<{ store_key: string; sha256: Buffer }[]> {
    const { rows } = await shop.pool.query('select store_key, sha256 from media where task_id = $1', [uuidOf(id)])
    return rows
  }
})
