/** What a hint does to a task under way: it is looked at sooner, and nothing else. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { newId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import type { Worker } from '../worker/worker.ts'
import { hurryHintedTask } from './hint-queries.ts'
import { planOf } from './provider-set.ts'

const POLL_EVERY_MS = 600_000

interface Pace extends Record<string, unknown> {
  readonly state: string
  readonly fence: bigint
  readonly due_in: number
  readonly next_look_in: number | null
}

describe('a hint', () => {
  let shop: Workshop
  let wallet: WalletId
  let provider: ScriptedProvider
  let worker: Worker

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
    provider = new ScriptedProvider({ videoPath: shop.videoPath, pollEveryMs: POLL_EVERY_MS })
    const other = new ScriptedProvider({ id: 'other', pollEveryMs: POLL_EVERY_MS })
    worker = await shop.worker(planOf([provider, other]))
  })
  after(() => shop[Symbol.asyncDispose]())

  /** As the route does it. */
  async function hint(jobId: string, of = 'scripted'): Promise<boolean> {
    const isDue = await hurryHintedTask(shop.pool, { provider: of, jobId })
    if (isDue) worker.wake()
    return isDue
  }

  const pollsOf = (prompt: string) => provider.polls.filter((call) => call.prompt === prompt).length

  /** A job that runs, whose provider calls it `upstream <prompt>`; nobody looks at it for ten minutes. */
  async function running(prompt: string, ...poll: readonly PollStep[]): Promise<TaskId> {
    const operation = { id: `upstream ${prompt}`, job: prompt, prompt }
    provider.script(prompt, { start: [{ kind: 'accepted', operation }], poll })
    const id = await shop.create(wallet, prompt)
    worker.wake()
    await until(`${prompt} runs`, async () => (await paceOf(id)).state === 'running')
    return id
  }

  async function paceOf(id: TaskId): Promise<Pace> {
    const { rows } = await shop.pool.query<Pace>(
      `select state, fence, extract(epoch from due_at - now())::float8 as due_in,
         case when hinted_at < 'infinity' then extract(epoch from hinted_at - now())::float8 end as next_look_in
       from tasks where id = $1`,
      [uuidOf(id)],
    )
    assert.ok(rows[0])
    return rows[0]
  }

  const untouched = async (id: TaskId) => {
    const { state, fence, due_in, next_look_in } = await paceOf(id)
    assert.deepEqual([state, fence, next_look_in], ['running', 1n, null])
    assert.ok(due_in > 500, `due in ${due_in} s`)
  }

  it('has the job looked at, and after an answer that it is still under way its usual interval goes on', async () => {
    const id = await running('once', { kind: 'pending', progress: 40 })
    assert.equal(await hint('upstream once'), true)
    await until('it was polled', async () => (await shop.read(wallet, id)).progress === 40)
    assert.equal(pollsOf('once'), 1)
    assert.ok((await paceOf(id)).due_in > 500)
  })

  it('ends a task that is done, long before its interval is over', async () => {
    const id = await running('done', 'video')
    await hint('upstream done')
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })

  it('that comes again and again costs one look, and another five seconds later', async () => {
    const id = await running('a flood', { kind: 'pending', progress: 1 })
    await hint('upstream a flood')
    await until('it was polled', async () => (await shop.read(wallet, id)).progress === 1)
    const answers = []
    for (let sent = 0; sent < 50; sent += 1) answers.push(await hint('upstream a flood'))
    assert.deepEqual(new Set(answers), new Set([false]), 'nobody is woken for them')
    assert.equal(pollsOf('a flood'), 1)
    const { due_in, next_look_in } = await paceOf(id)
    assert.equal(due_in, next_look_in)
    assert.ok(due_in > 0 && due_in <= 5, `due in ${due_in} s`)
    await shop.pool.query(`update tasks set hinted_at = now() - interval '5 seconds' where id = $1`, [uuidOf(id)])
    assert.equal(await hint('upstream a flood'), true)
    await until('it was polled again', () => pollsOf('a flood') === 2)
  })

  it('that comes while the job is being polled leaves that step alone, and has it followed by another', async () => {
    let answer: ((step: PollStep) => void) | undefined
    const slow: PollStep = () => new Promise<PollStep>((resolve) => (answer = resolve))
    const id = await running('in between', slow, 'video')
    await shop.hurry(id)
    worker.wake()
    await until('a poll is under way', () => answer !== undefined)
    const { fence, due_in } = await paceOf(id)
    for (let sent = 0; sent < 5; sent += 1) assert.equal(await hint('upstream in between'), false)
    const during = await paceOf(id)
    assert.equal(during.fence, fence)
    assert.ok(due_in - during.due_in < 2, 'its lease is what it was')
    answer?.({ kind: 'pending', progress: 7 })
    await until('the step has ended', async () => (await shop.read(wallet, id)).progress === 7)
    const next = await paceOf(id)
    assert.ok(next.due_in > 0 && next.due_in <= 5, `due in ${next.due_in} s`)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    assert.equal(pollsOf('in between'), 2)
  })

  it('about a job of another provider, or about none, changes nothing', async () => {
    const id = await running('not meant')
    assert.equal(await hint('upstream not meant', 'other'), false)
    assert.equal(await hint('upstream', 'scripted'), false)
    assert.equal(await hint(`' or true --`, 'scripted'), false)
    await untouched(id)
  })

  it('about the job of an attempt that is not the task’s last changes nothing', async () => {
    const id = await running('tried again')
    await shop.pool.query('insert into attempts (id, task_id, number, provider) values ($1, $2, 2, $3)', [
      uuidOf(newId('att')),
      uuidOf(id),
      'scripted',
    ])
    assert.equal(await hint('upstream tried again'), false)
    await untouched(id)
  })

  it('about a task that has ended changes nothing', async () => {
    const id = await running('over', 'video')
    await hint('upstream over')
    const ended = await shop.ended(wallet, id)
    assert.equal(await hint('upstream over'), false)
    assert.deepEqual(await shop.read(wallet, id), ended)
  })
})
