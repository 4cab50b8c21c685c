/** What becomes of a task whose provider accepts it, refuses it, cannot be reached, or leaves us in doubt. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { sampleReference } from '../../test/support/sample-request.ts'
import { ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { BlamelessError } from '../providers/provider.ts'
import { resolveAsAccepted, selectTaskOfJob } from './operator-queries.ts'
import { ProviderSet, planOf } from './provider-set.ts'

/** A pool in which `around` stands between the worker and its saving of accepted jobs. */
function withSaves(pool: pg.Pool, around: (save: () => Promise<unknown>) => Promise<unknown>): pg.Pool {
  return new Proxy(pool, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key !== 'query' || typeof value !== 'function')
        return typeof value === 'function' ? value.bind(target) : value
      return async (...args: unknown[]) => {
        const [statement] = args
        const query = async (): Promise<unknown> => Reflect.apply(value, target, args)
        const isSave =
          typeof statement === 'object' && statement !== null && Reflect.get(statement, 'name') === 'save-operation'
        return isSave ? around(query) : query()
      }
    },
  })
}

describe('handing a task to its provider', () => {
  let shop: Workshop
  let wallet: WalletId
  /** Its start cannot be repeated: twice is two jobs. */
  let plain: ScriptedProvider
  let idempotent: ScriptedProvider

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
    plain = new ScriptedProvider({ id: 'plain', videoPath: shop.videoPath })
    idempotent = new ScriptedProvider({ id: 'idempotent', startIsIdempotent: true, videoPath: shop.videoPath })
    await shop.worker(plain)
    await shop.worker(idempotent)
  })
  after(() => shop[Symbol.asyncDispose]())

  it('accepted: the attempt names the job, and success charges the price once', async () => {
    plain.script('accepted', { poll: [{ kind: 'pending' }, 'video'] })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'accepted', { provider: 'plain' })
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'succeeded')
    assert.equal(task.finalCredits, 10n)
    assert.equal(task.progress, 100)
    assert.deepEqual(task.media.map((media) => media.kind).sort(), ['manifest', 'poster', 'spritesheet', 'video'])
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'succeeded', error: null }])
    assert.equal((await shop.balance(wallet)).spent - before.spent, 10n)
    assert.equal(plain.jobsOf('accepted'), 1)
    await until('the provider was told to discard its copy', () => plain.discards.length > 0)
  })

  it('accepted while the database is away for a moment: the job is saved all the same, and made once', async () => {
    const blinking = new ScriptedProvider({ id: 'blinking', startIsIdempotent: false, videoPath: shop.videoPath })
    let failures = 2
    const pool = withSaves(shop.pool, (save) => {
      if (failures-- > 0) throw new Error('Connection terminated unexpectedly')
      return save()
    })
    await shop.worker(blinking, { pool })
    blinking.script('blink', { poll: ['video'] })
    const id = await shop.create(wallet, 'blink', { provider: 'blinking' })
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    assert.equal(blinking.jobsOf('blink'), 1)
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'succeeded', error: null }])
    const told = shop.logged.find((line) => line.includes('could not be saved') && line.includes('"prompt":"blink"'))
    assert.ok(told !== undefined, 'the operator can read the operation, should the database stay away')
  })

  it('accepted, and the answer to its save is lost: the job is known to be saved, and goes on', async () => {
    const forgotten = new ScriptedProvider({ id: 'forgotten', videoPath: shop.videoPath })
    let saves = 0
    const pool = withSaves(shop.pool, async (save) => {
      saves += 1
      const saved = await save()
      if (saves === 1) throw new Error('Connection terminated unexpectedly')
      return saved
    })
    const worker = await shop.worker(forgotten, { pool })
    forgotten.script('forgotten', { poll: [{ kind: 'pending' }, 'video'] })
    const id = await shop.create(wallet, 'forgotten', { provider: 'forgotten' })
    await until('it was saved twice', () => saves === 2)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    await shop.stop(worker)
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'succeeded', error: null }])
    assert.equal(forgotten.cancels.length, 0)
  })

  it('commits the attempt, whose id is the token, before the provider is called', async () => {
    let seen: unknown
    plain.script('committed first', {
      start: [
        async ({ token }) => {
          const { rows } = await shop.pool.query(`select state, operation from attempts where id = $1::uuid`, [
            token.slice('att_'.length),
          ])
          seen = rows
          return 'accept' as const
        },
      ],
      poll: [{ kind: 'expired' }],
    })
    await shop.ended(wallet, await shop.create(wallet, 'committed first', { provider: 'plain' }))
    assert.deepEqual(seen, [{ state: 'starting', operation: null }])
  })

  it('surely refused: the task fails with the reason, and its credits return', async () => {
    const failure = { reason: 'moderated', message: 'The prompt was refused.' } as const
    plain.script('refused', { start: [{ kind: 'rejected', failure, because: 'request' }] })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'refused', { provider: 'plain' })
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'failed')
    assert.deepEqual(task.failure, failure)
    assert.equal(task.finalCredits, 0n)
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'rejected', error: 'The prompt was refused.' }])
    assert.deepEqual(await shop.balance(wallet), before)
    assert.equal(plain.startsOf('refused'), 1)
  })

  for (const [name, step, state] of [
    [
      'busy',
      { kind: 'rejected', failure: { reason: 'provider_unavailable', message: 'Busy.' }, because: 'busy' },
      'rejected',
    ],
    ['undelivered', { kind: 'undelivered', cause: 'ECONNREFUSED' }, 'undelivered'],
  ] as const) {
    it(`${name}: started again later as a new attempt with a new token, under the one hold`, async () => {
      plain.script(name, { start: [step, step, 'accept'], poll: ['video'] })
      const id = await shop.create(wallet, name, { provider: 'plain' })
      await until('it was started three times', async () => {
        await shop.hurry(id)
        return plain.startsOf(name) === 3
      })
      assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
      assert.deepEqual(
        (await shop.attempts(id)).map((attempt) => attempt.state),
        [state, state, 'succeeded'],
      )
      const tokens = plain.starts.filter((call) => call.prompt === name).map((call) => call.token)
      assert.equal(new Set(tokens).size, 3)
      assert.equal(plain.jobsOf(name), 1)
      const { rows } = await shop.pool.query<{ kind: string }>(
        'select kind from ledger_transfers where task_id = $1 order by id',
        [uuidOf(id)],
      )
      assert.deepEqual(
        rows.map((row) => row.kind),
        ['reserve', 'capture'],
      )
    })
  }

  it('pauses before it asks a busy provider again', async () => {
    const failure = { reason: 'provider_unavailable', message: 'Busy.' } as const
    plain.script('busy for long', { start: [{ kind: 'rejected', failure, because: 'busy' }] })
    const id = await shop.create(wallet, 'busy for long', { provider: 'plain' })
    await until('it was refused', async () => (await shop.attempts(id))[0]?.state === 'rejected')
    const { rows } = await shop.pool.query<{ seconds: number }>(
      'select extract(epoch from due_at - now())::float8 as seconds from tasks where id = $1',
      [uuidOf(id)],
    )
    assert.ok(rows[0] !== undefined && rows[0].seconds > 0.5 && rows[0].seconds <= 3, `due in ${rows[0]?.seconds} s`)
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
  })

  for (const [name, step] of [
    ['answer lost, idempotent', 'accept, then lose the answer'],
    ['thrown, idempotent', new Error('socket hang up')],
  ] as const) {
    it(`${name}: started again with the same token, so there is one job`, async () => {
      idempotent.script(name, { start: [step, step, 'accept'], poll: ['video'] })
      const id = await shop.create(wallet, name, { provider: 'idempotent' })
      await until('it was started three times', async () => {
        await shop.hurry(id)
        return idempotent.startsOf(name) === 3
      })
      assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
      assert.deepEqual(
        (await shop.attempts(id)).map((attempt) => attempt.number),
        [1],
      )
      const tokens = idempotent.starts.filter((call) => call.prompt === name).map((call) => call.token)
      assert.equal(new Set(tokens).size, 1)
      assert.equal(idempotent.jobsOf(name), 1)
    })
  }

  for (const [name, step] of [
    ['undelivered', { kind: 'undelivered', cause: 'ECONNREFUSED' }],
    ['busy', { kind: 'rejected', failure: { reason: 'provider_unavailable', message: 'Busy.' }, because: 'busy' }],
    [
      'locked out',
      { kind: 'rejected', failure: { reason: 'provider_unavailable', message: 'No.' }, because: 'credentials' },
    ],
  ] as const) {
    it(`answer lost, idempotent, then ${name}: still the same token, for the first start may have arrived`, async () => {
      const prompt = `lost, then ${name}`
      idempotent.script(prompt, { start: ['accept, then lose the answer', step, 'accept'], poll: ['video'] })
      const id = await shop.create(wallet, prompt, { provider: 'idempotent' })
      await until('it was started three times', async () => {
        await shop.hurry(id)
        return idempotent.startsOf(prompt) === 3
      })
      assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
      assert.deepEqual(
        (await shop.attempts(id)).map((attempt) => attempt.number),
        [1],
      )
      assert.equal(idempotent.jobsOf(prompt), 1)
    })
  }

  for (const because of ['request', 'policy'] as const) {
    it(`answer lost, idempotent, then refused (${because}): uncertain, for the first start may have made a job`, async () => {
      const prompt = `lost, then refused: ${because}`
      const failure = { reason: 'unsupported_input', message: 'No.' } as const
      const refused = { kind: 'rejected', failure, because, cause: 'HTTP 404' } as const
      idempotent.script(prompt, { start: ['accept, then lose the answer', refused] })
      const id = await shop.create(wallet, prompt, { provider: 'idempotent' })
      await until('it was started twice, and its fate is settled', async () => {
        await shop.hurry(id)
        return idempotent.startsOf(prompt) === 2 && (await shop.attempts(id))[0]?.state !== 'starting'
      })
      const [attempt] = await shop.attempts(id)
      assert.equal(attempt?.state, 'uncertain')
      assert.match(attempt.error ?? '', /HTTP 404/)
      assert.equal((await shop.read(wallet, id)).state, 'submitting')
      await shop.endTime(id)
      await shop.endLease(id)
      assert.equal((await shop.ended(wallet, id)).state, 'expired')
      assert.equal(idempotent.startsOf(prompt), 2)
    })
  }

  for (const [name, step] of [
    ['answer lost, not idempotent', 'accept, then lose the answer'],
    ['thrown, not idempotent', new Error('socket hang up')],
  ] as const) {
    it(`${name}: uncertain, never submitted again, its hold kept until the deadline and then released`, async () => {
      plain.script(name, { start: [step] })
      const before = await shop.balance(wallet)
      const id = await shop.create(wallet, name, { provider: 'plain' })
      await until('the attempt is uncertain', async () => (await shop.attempts(id))[0]?.state === 'uncertain')
      const { rows } = await shop.pool.query('select due_at = deadline_at as parked from tasks where id = $1', [
        uuidOf(id),
      ])
      assert.deepEqual(rows, [{ parked: true }])
      for (let look = 0; look < 3; look += 1) {
        // Even a step that comes too early must not submit it again.
        await shop.endLease(id)
        await until('a worker has looked at it', async () => {
          const { rows } = await shop.pool.query<{ looked: boolean }>(
            'select due_at > now() as looked from tasks where id = $1',
            [uuidOf(id)],
          )
          return rows[0]?.looked
        })
      }
      assert.equal(plain.startsOf(name), 1)
      assert.equal((await shop.read(wallet, id)).state, 'submitting')
      assert.equal((await shop.balance(wallet)).held - before.held, 10n)
      await shop.endTime(id)
      await shop.endLease(id)
      assert.equal((await shop.ended(wallet, id)).state, 'expired')
      assert.equal((await shop.attempts(id))[0]?.state, 'uncertain', 'what became of the job is still not known')
      assert.deepEqual(await shop.balance(wallet), before)
      assert.equal(plain.startsOf(name), 1)
    })
  }

  it('an uncertain task can be canceled by its owner', async () => {
    plain.script('uncertain, canceled', { start: ['accept, then lose the answer'] })
    const id = await shop.create(wallet, 'uncertain, canceled', { provider: 'plain' })
    await until('the attempt is uncertain', async () => (await shop.attempts(id))[0]?.state === 'uncertain')
    await shop.pool.query('update tasks set cancel_requested_at = now(), due_at = now() where id = $1', [uuidOf(id)])
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(plain.startsOf('uncertain, canceled'), 1)
  })
})

describe('a provider that is gone from the configuration', () => {
  let shop: Workshop
  let wallet: WalletId
  const busy = {
    kind: 'rejected',
    because: 'busy',
    failure: { reason: 'provider_unavailable', message: 'Busy.' },
  } as const
  const nobody = { providers: [], routes: new Map(), free: [] }

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
  })
  after(() => shop[Symbol.asyncDispose]())

  it('begins no job for a task that it was busy for: the task goes to another', async () => {
    const gone = new ScriptedProvider({ id: 'gone', script: { start: [busy] } })
    const heir = new ScriptedProvider({ id: 'heir', videoPath: shop.videoPath, script: { poll: ['video'] } })
    const providers = new ProviderSet(planOf([gone]))
    await shop.worker(providers)
    const id = await shop.create(wallet, 'inherited', { provider: 'gone' })
    await until('it was refused', async () => (await shop.attempts(id))[0]?.state === 'rejected')
    const calls = gone.starts.length
    providers.replace(planOf([heir]))
    await shop.hurry(id)
    const task = await shop.ended(wallet, id)
    assert.deepEqual([task.state, task.provider], ['succeeded', 'heir'])
    assert.deepEqual([gone.starts.length, heir.jobs.length], [calls, 1])
  })

  it('begins no job for a task that it has just got a slot for: the task goes to another, without an attempt', async () => {
    const left = new ScriptedProvider({ id: 'left' })
    const next = new ScriptedProvider({ id: 'next', videoPath: shop.videoPath, script: { poll: ['video'] } })
    const providers = new ProviderSet(planOf([left]))
    const { setFaultHook } = await import('../observe/fault-point.ts')
    setFaultHook((point) => {
      if (point === 'admit.committed') providers.replace(planOf([next]))
    })
    await shop.worker(providers)
    const id = await shop.create(wallet, 'just admitted', { provider: 'left' })
    const task = await shop.ended(wallet, id)
    setFaultHook(undefined)
    assert.deepEqual([task.state, task.provider], ['succeeded', 'next'])
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'succeeded', error: null }])
    assert.equal(left.starts.length, 0)
  })

  it('begins no job where nobody else can take the task, either: it waits until its deadline', async () => {
    const last = new ScriptedProvider({ id: 'last', script: { start: [busy] } })
    const providers = new ProviderSet(planOf([last]))
    await shop.worker(providers)
    const id = await shop.create(wallet, 'left alone', { provider: 'last' })
    await until('it was refused', async () => (await shop.attempts(id))[0]?.state === 'rejected')
    const before = await shop.attempts(id)
    providers.replace(nobody)
    await shop.hurry(id)
    await until('a worker has looked at it, and given it back', async () => {
      const { rows } = await shop.pool.query<{ waits: boolean }>(
        `select due_at > now() + interval '5 seconds' and lease_owner is null as waits from tasks where id = $1`,
        [uuidOf(id)],
      )
      return rows[0]?.waits
    })
    assert.deepEqual(await shop.attempts(id), before)
    assert.equal((await shop.read(wallet, id)).state, 'submitting')
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.equal(last.starts.length, before.length)
  })

  it('is asked again with the token of a start whose answer was lost: its job may run', async () => {
    const doubted = new ScriptedProvider({ id: 'doubted', startIsIdempotent: true, videoPath: shop.videoPath })
    doubted.script('doubted', { start: ['accept, then lose the answer', 'accept'], poll: ['video'] })
    const providers = new ProviderSet(planOf([doubted]))
    await shop.worker(providers)
    const id = await shop.create(wallet, 'doubted', { provider: 'doubted' })
    await until('it was started', () => doubted.starts.length === 1)
    providers.replace(nobody)
    await until('it was started again', async () => {
      await shop.hurry(id)
      return doubted.starts.length === 2
    })
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    assert.equal(doubted.jobs.length, 1)
  })
})

describe('a key that is replaced while a start is in doubt', () => {
  const before = { id: 'keyed', startIsIdempotent: true, credential: 'the old key' }
  const after = { ...before, credential: 'the new key' }

  it('is used for the repeat: with another, the job might be made and billed in another account, too', async () => {
    await using shop = await openWorkshop()
    const wallet = await shop.account()
    const old = new ScriptedProvider({ ...before, script: { start: ['accept, then lose the answer'] } })
    const rotated = new ScriptedProvider({ ...after, videoPath: shop.videoPath, script: { poll: ['video'] } })
    const providers = new ProviderSet(planOf([old]))
    await shop.worker(providers)
    const doubted = await shop.create(wallet, 'in doubt', { provider: 'keyed' })
    await until('it was started', () => old.starts.length === 1)
    providers.replace(planOf([rotated]))
    assert.equal((await shop.ended(wallet, doubted)).state, 'succeeded')
    await shop.ended(wallet, await shop.create(wallet, 'after it', { provider: 'keyed' }))
    assert.deepEqual(
      [...old.starts, ...rotated.starts].map(({ prompt, credential }) => [prompt, credential]),
      [
        ['in doubt', 'the old key'],
        ['in doubt', 'the old key'],
        ['after it', 'the new key'],
      ],
    )
  })

  it('and is gone: the attempt is uncertain, the provider not called, and not held to be ill', async () => {
    await using shop = await openWorkshop()
    const wallet = await shop.account()
    const missing = new BlamelessError('The key that started the job is configured no more.')
    const old = new ScriptedProvider({ ...before, script: { start: ['accept, then lose the answer', missing] } })
    const providers = new ProviderSet(planOf([old]))
    await shop.worker(providers)
    const ids = []
    for (let at = 0; at < 4; at += 1) ids.push(await shop.create(wallet, `in doubt ${at}`, { provider: 'keyed' }))
    for (const id of ids) {
      await until('it is uncertain', async () => {
        await shop.hurry(id)
        return (await shop.attempts(id))[0]?.state === 'uncertain'
      })
      assert.match(String((await shop.attempts(id))[0]?.error), /configured no more/)
    }
    assert.equal(providers.all[0]?.breaker.state, 'closed')
    const [id] = ids
    assert.ok(id !== undefined)
    // The operator, who found the job there, knows no key's name.
    assert.ok(await resolveAsAccepted(shop.pool, id, { operation: { id: 'job-7' }, deadlineSeconds: 60 }))
    const { rows } = await shop.pool.query('select operation from attempts where task_id = $1', [uuidOf(id)])
    assert.deepEqual(rows, [{ operation: { id: 'job-7', credential: 'the old key' } }])
  })
})

describe('a job that a provider names to two tasks', () => {
  it('is of the first alone: the second is uncertain, and no operator can give it that job either', async () => {
    await using shop = await openWorkshop()
    const [first, second] = [await shop.account(), await shop.account()]
    const operation = { id: 'the same', job: 'job-1', prompt: 'same' }
    const provider = new ScriptedProvider({ script: { start: [{ kind: 'accepted', operation }] } })
    await shop.worker(provider)
    const mine = await shop.create(first, 'same')
    await until('it runs', async () => (await shop.read(first, mine)).state === 'running')
    const theirs = await shop.create(second, 'same')
    await until('it is uncertain', async () => (await shop.attempts(theirs))[0]?.state === 'uncertain')
    assert.match(String((await shop.attempts(theirs))[0]?.error), /the job of another task/)
    assert.equal((await shop.read(first, mine)).state, 'running')
    assert.equal(provider.cancels.length, 0)
    assert.equal(await selectTaskOfJob(shop.pool, theirs, operation), mine)
    assert.equal(await selectTaskOfJob(shop.pool, theirs, { id: 'another' }), undefined)
  })
})

describe('files of requests', () => {
  it('are held in memory by so many starts only as there is room for; the others wait, and the rest goes on', async () => {
    await using shop = await openWorkshop()
    const wallet = await shop.account({ plan: 'enterprise' })
    let [underWay, most] = [0, 0]
    const slow = async () => {
      underWay += 1
      most = Math.max(most, underWay)
      await delay(100)
      underWay -= 1
      return 'accept' as const
    }
    const provider = new ScriptedProvider({ script: { start: [slow], poll: [{ kind: 'expired' }] } })
    const ids = await Promise.all([1, 2, 3].map(() => shop.create(wallet, 'large')))
    const large = [sampleReference('firstFrame', 'image', { sizeBytes: 40 * 1024 * 1024 })]
    await shop.pool.query(`update tasks set request = request || jsonb_build_object('references', $1::jsonb)`, [
      JSON.stringify(large),
    ])
    await shop.worker(provider)
    for (const id of ids) assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.deepEqual([most, provider.starts.length], [1, 3])
    for (const id of ids) assert.equal((await shop.attempts(id)).length, 1)
  })
})

describe('test credits', () => {
  it('never reach a provider that costs something, whatever put the task into its queue', async () => {
    await using shop = await openWorkshop()
    const wallet = await shop.account({ mode: 'test' })
    const before = await shop.balance(wallet)
    const paid = new ScriptedProvider({ id: 'paid' })
    await shop.worker(paid)
    const id = await shop.create(wallet, 'for free', { provider: 'paid' })
    const task = await shop.ended(wallet, id)
    assert.deepEqual([task.state, task.failure?.reason], ['failed', 'provider_unavailable'])
    assert.deepEqual(await shop.attempts(id), [])
    assert.equal(paid.starts.length, 0)
    assert.deepEqual(await shop.balance(wallet), before)
    assert.ok(shop.logged.some((line) => line.includes('test credits') && line.includes(id)))
  })
})
