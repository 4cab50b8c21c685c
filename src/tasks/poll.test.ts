/** What a provider's answers, and its silence, do to a task under way. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { BlamelessError } from '../providers/provider.ts'

describe('a task at its provider', () => {
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

  const pollsOf = (prompt: string, of = provider) => of.polls.filter((call) => call.prompt === prompt).length

  async function polled(id: TaskId, prompt: string, times: number, of = provider): Promise<void> {
    await until(`${prompt} was polled ${times} times`, async () => {
      await shop.hurry(id)
      return pollsOf(prompt, of) >= times
    })
  }

  /** A provider that nobody else uses: after many faults it is sent nothing for a while. */
  async function ill(id: string, poll: readonly PollStep[]): Promise<ScriptedProvider> {
    const own = new ScriptedProvider({ id, videoPath: shop.videoPath, script: { poll } })
    await shop.worker(own)
    return own
  }

  it('may report progress that is fractional, too large, negative, not a number, or going back', async () => {
    const reports: [reported: number | undefined, shown: number][] = [
      [12.7, 12],
      [3, 12],
      [Number.NaN, 12],
      [-5, 12],
      [undefined, 12],
      [Number.NEGATIVE_INFINITY, 12],
      [55.999, 55],
      [250, 99],
      [Number.POSITIVE_INFINITY, 99],
      [100, 99],
      [1, 99],
    ]
    for (const [at, [reported, shown]] of reports.entries()) {
      const prompt = `progress ${at}`
      const earlier = reports.slice(0, at + 1).map(([progress]) => pendingAt(progress))
      provider.script(prompt, { poll: [...earlier, { kind: 'pending', pollAfterMs: 60_000 }] })
      const id = await shop.create(wallet, prompt)
      await polled(id, prompt, at + 2)
      assert.equal((await shop.read(wallet, id)).progress, shown, `after ${reported}`)
      await shop.endTime(id)
      await shop.ended(wallet, id)
    }
  })

  it('that cannot be reached for as long as it takes does not fail the task; when it is back, the task succeeds', async () => {
    const outage: PollStep[] = Array.from({ length: 40 }, () => new Error('ECONNREFUSED'))
    const away = await ill('away', [{ kind: 'pending', progress: 30 }, ...outage, 'video'])
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'an outage', { provider: away.id })
    await polled(id, 'an outage', 40, away)
    const during = await shop.read(wallet, id)
    assert.equal(during.state, 'running')
    assert.equal(during.progress, 30)
    assert.equal((await shop.balance(wallet)).held - before.held, 10n)
    await polled(id, 'an outage', 42, away)
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'succeeded')
    assert.equal(away.startsOf('an outage'), 1)
    assert.ok(shop.logged.some((line) => line.includes('poll was not answered')))
  })

  it('that cannot be reached is asked ever more rarely, at least once a minute and a half', async () => {
    const away = await ill('long away', [new Error('ECONNREFUSED')])
    const id = await shop.create(wallet, 'backs off', { provider: away.id })
    await polled(id, 'backs off', 1, away)
    await until('its next pause is written', async () => {
      const { rowCount } = await shop.pool.query(
        'update tasks set unanswered_polls = 1000, due_at = now() where id = $1 and lease_owner is null',
        [uuidOf(id)],
      )
      return rowCount === 1
    })
    const seconds = await until('its longest pause is written', async () => {
      const { rows } = await shop.pool.query<{ seconds: number }>(
        `select extract(epoch from due_at - now())::float8 as seconds from tasks
         where id = $1 and lease_owner is null and unanswered_polls > 1000`,
        [uuidOf(id)],
      )
      return rows[0]?.seconds
    })
    assert.ok(seconds > 25 && seconds <= 90, `due in ${seconds} s`)
    await shop.endGrace(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
  })

  it('that says again and again that it does not know the job has lost it: the task fails, its credits return', async () => {
    const before = await shop.balance(wallet)
    provider.script('lost', { poll: [{ kind: 'gone' }] })
    const id = await shop.create(wallet, 'lost')
    await polled(id, 'lost', 6)
    const task = await shop.ended(wallet, id)
    assert.equal(pollsOf('lost'), 6)
    assert.deepEqual([task.state, task.failure?.reason, task.finalCredits], ['failed', 'generation_failed', 0n])
    assert.equal((await shop.balance(wallet)).held, before.held)
    assert.equal(provider.startsOf('lost'), 1)
  })

  it('that does not know the job is believed only after five minutes', async () => {
    provider.script('a redeploy', { poll: [{ kind: 'gone' }] })
    const id = await shop.create(wallet, 'a redeploy')
    let patienceSeconds = 0
    for (let gone = 1; gone <= 5; gone += 1) {
      patienceSeconds += await until(`its pause number ${gone} is written`, async () => {
        const { rows } = await shop.pool.query<{ seconds: number }>(
          `select extract(epoch from due_at - now())::float8 as seconds from tasks
           where id = $1 and state = 'running' and lease_owner is null and gone_polls = $2`,
          [uuidOf(id), gone],
        )
        return rows[0]?.seconds
      })
      await shop.hurry(id)
    }
    // What is left of a pause when it is read has lost the moment in between.
    assert.ok(patienceSeconds > 290, `it fails after ${patienceSeconds} s`)
    assert.equal((await shop.ended(wallet, id)).state, 'failed')
  })

  it('that does not know the job for a moment after a restart keeps the task', async () => {
    provider.script('found again', {
      poll: [{ kind: 'gone' }, { kind: 'gone' }, { kind: 'gone' }, { kind: 'pending' }, 'video'],
    })
    const id = await shop.create(wallet, 'found again')
    await polled(id, 'found again', 5)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })

  it('that answers with an unknown word keeps the task running until its deadline', async () => {
    // An adapter that makes nothing of it throws, or says which word it was.
    const unknown = Array.from({ length: 10 }, () => new TypeError('"marinating" is not a known status'))
    const newer = await ill('newer', [...unknown, { kind: 'pending', unknownStatus: 'marinating' }])
    const id = await shop.create(wallet, 'a new word', { provider: newer.id })
    await polled(id, 'a new word', 12, newer)
    assert.equal((await shop.read(wallet, id)).state, 'running')
    await shop.endTime(id)
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'expired')
    assert.equal(task.finalCredits, 0n)
    assert.equal(newer.cancels.length, 1, 'it is told to stop')
    assert.ok(
      shop.logged.some((line) => line.includes('"unknownStatus":"marinating"')),
      'the operator hears of it',
    )
    const errors = shop.logged.filter((line) => line.includes('"level":50') && line.includes('marinating"'))
    assert.equal(errors.length, 1, 'once, and not at each poll')
  })

  it('that asks for patience is polled after it, not before', async () => {
    provider.script('patience', { poll: [{ kind: 'pending', pollAfterMs: 30_000 }] })
    const id = await shop.create(wallet, 'patience')
    const seconds = await until('its pause is written', async () => {
      const { rows } = await shop.pool.query<{ seconds: number }>(
        `select extract(epoch from due_at - now())::float8 as seconds from tasks
         where id = $1 and state = 'running' and lease_owner is null and due_at > now() + interval '1 second'`,
        [uuidOf(id)],
      )
      return rows[0]?.seconds
    })
    assert.ok(seconds > 25 && seconds <= 36, 'and somewhat later, each task by itself')
    assert.equal(pollsOf('patience'), 1)
    await shop.endTime(id)
    await shop.ended(wallet, id)
  })

  it('that asks for a pause which is no number of milliseconds is polled at its usual pace', async () => {
    for (const pollAfterMs of [Number.NaN, Number.POSITIVE_INFINITY, -60_000]) {
      const prompt = `a pause of ${pollAfterMs}`
      provider.script(prompt, { poll: [{ kind: 'pending', pollAfterMs }, { kind: 'expired' }] })
      const id = await shop.create(wallet, prompt)
      assert.equal((await shop.ended(wallet, id)).state, 'expired')
    }
  })

  for (const [name, answer, state] of [
    ['failed later', failed('generation_failed', 'It broke.'), 'failed'],
    ['moderated after acceptance', failed('moderated', 'The video was refused.'), 'failed'],
    ['expired at the provider', { kind: 'expired' }, 'expired'],
  ] as const) {
    it(`${name}: the task ends as ${state} and its credits return`, async () => {
      provider.script(name, { poll: [{ kind: 'pending', progress: 80 }, answer] })
      const before = await shop.balance(wallet)
      const id = await shop.create(wallet, name)
      const task = await shop.ended(wallet, id)
      assert.equal(task.state, state)
      assert.deepEqual(task.failure, answer.kind === 'failed' ? answer.failure : undefined)
      assert.deepEqual(await shop.balance(wallet), before)
      assert.deepEqual(
        (await shop.attempts(id)).map((attempt) => attempt.state),
        [state],
      )
      assert.equal(provider.startsOf(name), 1)
    })
  }

  it('that says why in a text which the database cannot store still fails the task', async () => {
    provider.script('a NUL', { poll: [failed('generation_failed', 'It\0 broke.')] })
    const task = await shop.ended(wallet, await shop.create(wallet, 'a NUL'))
    assert.equal(task.state, 'failed')
    assert.match(task.failure?.message ?? '', /^It.? broke\.$/)
  })

  it('past its deadline is told to stop, and the task expires though the provider cannot be reached', async () => {
    provider.script('overdue', {
      cancel: () => {
        throw new Error('ECONNREFUSED')
      },
    })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'overdue')
    await polled(id, 'overdue', 1)
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.equal(provider.cancels.filter((call) => call.prompt === 'overdue').length, 1)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  for (const late of ['video', failed('generation_failed', 'It broke.'), { kind: 'pending', progress: 50 }] as const) {
    const name = typeof late === 'string' ? late : late.kind
    it(`answering "${name}" late, after the task has ended, changes nothing`, async () => {
      let answer: ((step: PollStep) => void) | undefined
      const slow = new ScriptedProvider({
        id: `late ${name}`,
        videoPath: shop.videoPath,
        script: { poll: [() => new Promise<PollStep>((resolve) => (answer = resolve)), { kind: 'pending' }] },
      })
      const worker = await shop.worker(slow)
      const id = await shop.create(wallet, 'late', { provider: slow.id })
      await until('the poll is under way', () => answer !== undefined)
      // Meanwhile the lease runs out, and the task is taken up again, past its deadline, and ended.
      await shop.endTime(id)
      await shop.endLease(id)
      const ended = await shop.ended(wallet, id)
      assert.equal(ended.state, 'expired')
      const balance = await shop.balance(wallet)
      answer?.(late)
      await shop.stop(worker)
      assert.deepEqual(await shop.read(wallet, id), ended)
      assert.deepEqual(await shop.balance(wallet), balance)
    })
  }

  it('that answers polls and fails at every create is sent no more of them', async () => {
    const lame = new ScriptedProvider({ id: 'lame', pollEveryMs: 10 })
    lame.script('create', { start: [{ kind: 'ambiguous', cause: 'HTTP 502' }] })
    await shop.worker(lame)
    const running = await shop.create(wallet, 'runs', { provider: lame.id })
    await until('it runs', async () => (await shop.read(wallet, running)).state === 'running')
    const ids: TaskId[] = []
    for (let count = 1; count <= 5; count += 1) {
      const polls = lame.polls.length
      await until('it was polled', () => lame.polls.length > polls)
      ids.push(await shop.create(wallet, 'create', { provider: lame.id }))
      await until('a create failed', () => lame.startsOf('create') === count)
    }
    const polls = lame.polls.length
    await until('it was polled since', () => lame.polls.length > polls)
    const spared = await shop.create(wallet, 'create', { provider: lame.id })
    const later = lame.polls.length
    await until('it was polled again', () => lame.polls.length > later + 10)
    assert.equal((await shop.read(wallet, spared)).state, 'queued')
    assert.equal(lame.startsOf('create'), 5)
    for (const id of [...ids, running]) await shop.endTime(id)
    for (const id of [...ids, running]) await shop.ended(wallet, id)
  })

  it('that only we cannot ask, or that is busy, is still sent new jobs', async () => {
    const well = new ScriptedProvider({ id: 'well', pollEveryMs: 10, videoPath: shop.videoPath })
    well.script('old', { poll: [new BlamelessError('the key that started the job is configured no more')] })
    well.script('new', { poll: ['video'] })
    await shop.worker(well)
    const old = await shop.create(wallet, 'old', { provider: well.id })
    await until('it was asked many times', async () => {
      await shop.hurry(old)
      return well.polls.length > 10
    })
    assert.equal((await shop.ended(wallet, await shop.create(wallet, 'new', { provider: well.id }))).state, 'succeeded')
    await shop.endGrace(old)
    await shop.ended(wallet, old)
  })

  it('whose price has changed in the catalog since is charged the price of its creation', async () => {
    provider.script('an old price', { poll: ['video'] })
    const before = await shop.balance(wallet)
    const old = await shop.create(wallet, 'an old price', { priceCredits: 7n })
    const dear = await shop.create(wallet, 'an old price', { priceCredits: 25n })
    assert.equal((await shop.ended(wallet, old)).finalCredits, 7n)
    assert.equal((await shop.ended(wallet, dear)).finalCredits, 25n)
    assert.equal((await shop.balance(wallet)).spent - before.spent, 32n)
  })
})

function pendingAt(progress: number | undefined): PollStep {
  return progress === undefined ? { kind: 'pending' } : { kind: 'pending', progress }
}

function failed(reason: 'generation_failed' | 'moderated', message: string) {
  return { kind: 'failed', failure: { reason, message } } as const
}
