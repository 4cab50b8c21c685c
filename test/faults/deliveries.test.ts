/**
 * Callbacks and uploads, from the real settlement through real workers to receivers on loopback. Time is not waited for:
 * what would be due in hours is moved to now in the database.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { type AccountId, type Id, idOf, type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import type { WalletId } from '../../src/ledger/queries.ts'
import { fetchPolicy } from '../../src/media/fetch-policy.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { expireQueued } from '../../src/tasks/settle-queries.ts'
import { rotateSecret, signingSecrets } from '../../src/webhooks/callback-secret.ts'
import { ATTEMPT_PAUSES_MS } from '../../src/webhooks/plan-next.ts'
import { deleteOldDeliveries, retryDelivery, selectDeliveries } from '../../src/webhooks/queries.ts'
import { callbackRenderer } from '../../src/worker/render-callback.ts'
import type { WorkerOptions } from '../../src/worker/worker.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { openWorkshop, until, type Workshop } from './workshop.ts'

interface Row {
  id: string
  kind: string
  state: string
  attempts: number
  in_seconds: number
  last_status: number | null
  last_error: string | null
  lease_owner: string | null
}

class Desk implements AsyncDisposable {
  readonly shop: Workshop
  readonly provider: ScriptedProvider
  readonly metrics = createMetrics({ openTasks: async () => [], pendingDeliveries: async () => new Map() })
  wallet: WalletId = 0n

  constructor(shop: Workshop) {
    this.shop = shop
    this.provider = new ScriptedProvider({
      videoPath: shop.videoPath,
      script: { poll: [{ kind: 'failed', failure: { reason: 'generation_failed', message: 'no' } }] },
    })
    this.provider.script('succeed', { poll: ['video'] })
    this.provider.script('wait', {})
  }

  deliveries(nets = ['127.0.0.0/8']): NonNullable<WorkerOptions['deliveries']> {
    return {
      policy: fetchPolicy(nets),
      renderCallback: callbackRenderer({
        db: this.shop.pool,
        dialects: [{ id: 'test', renderCallback: (task) => ({ task: task.id, state: task.state }) }],
        urlOf: (media) => media.id,
      }),
      deliveries: this.metrics.deliveries,
      now: () => new Date(),
    }
  }

  worker(id: string, nets?: string[]) {
    return this.shop.worker(this.provider, { id, deliveries: this.deliveries(nets) })
  }

  /** A task that fails at once, and so has a callback to make. */
  fail(url: string): Promise<TaskId> {
    return this.shop.create(this.wallet, 'fail', { callbackUrl: url })
  }

  async rows(task: TaskId): Promise<Row[]> {
    const { rows } = await this.shop.pool.query<Row>(
      `select id, kind, state, attempts, extract(epoch from due_at - now())::float8 as in_seconds, last_status, last_error,
         lease_owner from deliveries where task_id = $1 order by kind`,
      [uuidOf(task)],
    )
    return rows
  }

  async row(task: TaskId): Promise<Row> {
    const [row] = await this.rows(task)
    assert.ok(row, `${task} has no delivery`)
    return row
  }

  attempted(task: TaskId, times: number): Promise<Row> {
    return until(`${task} was attempted ${times} times`, async () => {
      const [row] = await this.rows(task)
      return row !== undefined && row.attempts === times && row.lease_owner === null && row
    })
  }

  inState(task: TaskId, state: string): Promise<Row> {
    return until(`the delivery of ${task} is ${state}`, async () => {
      const [row] = await this.rows(task)
      return row?.state === state && row
    })
  }

  /** Moves the next attempt to now. */
  async hurry(task: TaskId): Promise<void> {
    await this.shop.pool.query('update deliveries set due_at = now() where task_id = $1', [uuidOf(task)])
  }

  async account(): Promise<AccountId> {
    const { rows } = await this.shop.pool.query<{ account_id: string }>(
      'select account_id from wallets where id = $1',
      [this.wallet],
    )
    return idOf('acct', rows[0]?.account_id ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shop[Symbol.asyncDispose]()
  }
}

async function openDesk(): Promise<Desk> {
  const desk = new Desk(await openWorkshop())
  desk.wallet = await desk.shop.account()
  return desk
}

/** Checks a signature as the specification says, with nothing of ours. */
function isSigned(received: Received, secret: Buffer): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = received.headers
  const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(received.body).digest('base64')
  return String(signatures).split(' ').includes(`v1,${expected}`)
}

function bodyOf(received: Received | undefined): unknown {
  return JSON.parse(received?.body.toString() ?? 'null')
}

describe('the outbox', () => {
  test('has a callback for every way in which a task ends, written with its end', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver()
    const { shop, wallet } = desk
    const callbackUrl = `${receiver.url}/hook`
    const tasks = {
      canceled: await shop.create(wallet, 'wait', { callbackUrl }),
      expired: await shop.create(wallet, 'wait', { callbackUrl }),
    }
    await cancelTask(shop.pool, wallet, tasks.canceled)
    await shop.pool.query('update tasks set deadline_at = now() where id = $1', [uuidOf(tasks.expired)])
    await expireQueued(shop.pool, { limit: 10, except: [] })
    for (const task of Object.values(tasks)) assert.equal((await desk.row(task)).state, 'pending')

    await desk.worker('one')
    const ended = {
      ...tasks,
      failed: await desk.fail(callbackUrl),
      succeeded: await shop.create(wallet, 'succeed', { callbackUrl }),
    }
    for (const [state, task] of Object.entries(ended)) {
      await desk.inState(task, 'delivered')
      const mine = receiver.received.filter((each) => each.body.includes(task))
      assert.deepEqual(mine.map(bodyOf), [{ task, state }])
      assert.equal(mine[0]?.headers['content-type'], 'application/json')
    }
  })

  test('has nothing for a task without URLs, and none for one whose settlement lost', async () => {
    await using desk = await openDesk()
    await desk.worker('one')
    const task = await desk.shop.create(desk.wallet, 'fail')
    await desk.shop.ended(desk.wallet, task)
    assert.deepEqual(await desk.rows(task), [])
    const canceled = await desk.shop.create(desk.wallet, 'wait', { callbackUrl: 'http://127.0.0.1:1/' })
    await Promise.all([1, 2, 3, 4].map(() => cancelTask(desk.shop.pool, desk.wallet, canceled)))
    await desk.shop.ended(desk.wallet, canceled)
    assert.equal((await desk.rows(canceled)).length, 1)
  })
})

describe('a callback', () => {
  test('is tried over three days under one id, each time freshly stamped and signed, and then given up', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver(500)
    await desk.worker('one')
    const task = await desk.fail(receiver.url)
    for (let attempt = 1; attempt < ATTEMPT_PAUSES_MS.length; attempt += 1) {
      const row = await desk.attempted(task, attempt)
      const pause = (ATTEMPT_PAUSES_MS[attempt] ?? 0) / 1000
      assert.equal(row.state, 'pending')
      assert.ok(row.in_seconds > pause * 0.85 - 3 && row.in_seconds < pause * 1.15, `${row.in_seconds} s, not ${pause}`)
      await desk.hurry(task)
    }
    const row = await desk.attempted(task, 10)
    assert.deepEqual([row.state, row.last_status], ['failed', 500])
    assert.equal(receiver.received.length, 10)
    assert.deepEqual(
      [...new Set(receiver.received.map((each) => each.headers['webhook-id']))],
      [`msg_${row.id.replaceAll('-', '')}`],
    )
    const [secret] = await signingSecrets(desk.shop.pool, await desk.account())
    for (const each of receiver.received) {
      assert.ok(isSigned(each, secret))
      assert.ok(Math.abs(Number(each.headers['webhook-timestamp']) - Date.now() / 1000) < 60)
    }
    assert.ok(!isSigned({ ...(receiver.received[0] ?? assert.fail()), body: Buffer.from('{}') }, secret))
    const counted = await desk.metrics.registry.getSingleMetricAsString('reelay_delivery_attempts_total')
    assert.match(counted, /kind="callback",outcome="retried"} 9\n.*kind="callback",outcome="failed"} 1/)
  })

  test('is fresh in each attempt: a later one has a later timestamp', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver(500)
    const times = [new Date('2030-01-01T00:00:00Z'), new Date('2030-01-01T05:00:00Z')]
    let calls = 0
    const deliveries = { ...desk.deliveries(), now: () => times[calls] ?? assert.fail() }
    await desk.shop.worker(desk.provider, { deliveries })
    const task = await desk.fail(receiver.url)
    await desk.attempted(task, 1)
    calls = 1
    await desk.hurry(task)
    await desk.attempted(task, 2)
    const stamps = receiver.received.map((each) => Number(each.headers['webhook-timestamp']))
    assert.deepEqual(
      stamps,
      times.map((time) => time.getTime() / 1000),
    )
    assert.notEqual(
      receiver.received[0]?.headers['webhook-signature'],
      receiver.received[1]?.headers['webhook-signature'],
    )
  })

  test('stops at 410, follows no redirect, and is delivered by any 2xx', async () => {
    await using desk = await openDesk()
    await using elsewhere = await startReceiver(200)
    await using receiver = await startReceiver(({ path }, response) => {
      const status = Number(path.slice(1))
      response.writeHead(status, { location: elsewhere.url }).end()
      return undefined
    })
    await desk.worker('one')
    const gone = await desk.inState(await desk.fail(`${receiver.url}/410`), 'failed')
    assert.deepEqual([gone.attempts, gone.last_status], [1, 410])
    for (const status of [301, 302, 307, 308]) {
      const row = await desk.attempted(await desk.fail(`${receiver.url}/${status}`), 1)
      assert.deepEqual([row.state, row.last_status], ['pending', status])
    }
    for (const status of [200, 202, 204]) await desk.inState(await desk.fail(`${receiver.url}/${status}`), 'delivered')
    assert.equal(elsewhere.connections(), 0)
  })

  test('comes back when Retry-After says so, within a day, and not before its own schedule', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver(({ path }, response) => {
      response.writeHead(503, { 'retry-after': decodeURIComponent(path.slice(1)) }).end()
      return undefined
    })
    await desk.worker('one')
    const date = new Date(Date.now() + 7_200_000).toUTCString()
    for (const [header, seconds] of [
      ['600', 600],
      ['0', 5],
      ['9999999', 86_400],
      [date, 7_200],
      ['soon', 5],
    ] as const) {
      const row = await desk.attempted(await desk.fail(`${receiver.url}/${encodeURIComponent(header)}`), 1)
      assert.ok(Math.abs(row.in_seconds - seconds) < 4, `${header}: ${row.in_seconds} s`)
    }
  })

  test('whose answer has no end is delivered by its status, and the rest is cut off', async () => {
    await using desk = await openDesk()
    let sent = 0
    await using receiver = await startReceiver((_, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
      return undefined
    })
    await desk.worker('one')
    await desk.inState(await desk.fail(receiver.url), 'delivered')
    assert.ok(sent < 20_000_000, `${sent} bytes`)
  })

  test('is signed with both secrets while one replaces the other, then with the new one alone', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver()
    await desk.worker('one')
    const { pool } = desk.shop
    const account = await desk.account()
    const concurrent = await Promise.all([1, 2, 3, 4].map(() => signingSecrets(pool, account)))
    const [old] = concurrent[0] ?? assert.fail()
    for (const [other] of concurrent) assert.ok(other.equals(old), 'the first secret is made once')
    const fresh = await rotateSecret(pool, account)
    assert.ok(fresh !== undefined && !fresh.equals(old))
    await desk.inState(await desk.fail(receiver.url), 'delivered')
    const [during] = receiver.received
    assert.ok(during !== undefined && isSigned(during, old) && isSigned(during, fresh))
    assert.equal(String(during.headers['webhook-signature']).split(' ').length, 2)
    await pool.query('update callback_secrets set signs_until = now() where signs_until is not null')
    await desk.inState(await desk.fail(receiver.url), 'delivered')
    const [, after] = receiver.received
    assert.ok(after !== undefined && !isSigned(after, old) && isSigned(after, fresh))
  })

  test('is made once by however many workers', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver()
    for (const id of ['one', 'two', 'three']) await desk.worker(id)
    const tasks = await Promise.all(Array.from({ length: 60 }, () => desk.fail(receiver.url)))
    for (const task of tasks) await desk.inState(task, 'delivered')
    const ids = receiver.received.map((each) => each.headers['webhook-id'])
    assert.equal(ids.length, 60)
    assert.equal(new Set(ids).size, 60)
  })

  test('that a slow worker sent, but could not record in time, is repeated under the same id and recorded once', async () => {
    await using desk = await openDesk()
    const answers: (() => void)[] = []
    await using receiver = await startReceiver(async () => {
      if (receiver.received.length === 1) await new Promise<void>((resolve) => answers.push(resolve))
      return 200
    })
    await desk.worker('one')
    const task = await desk.fail(receiver.url)
    await until('the first attempt has arrived', () => answers.length === 1)
    await desk.worker('two')
    await desk.shop.pool.query('update deliveries set lease_until = now(), due_at = now()')
    await desk.inState(task, 'delivered')
    for (const answer of answers) answer()
    await until('the first worker knows', () =>
      desk.shop.logged.some((line) => line.includes('took longer than its lease')),
    )
    const row = await desk.row(task)
    assert.deepEqual([row.state, row.attempts], ['delivered', 1])
    assert.equal(new Set(receiver.received.map((each) => each.headers['webhook-id'])).size, 1)
    assert.equal(receiver.received.length, 2)
  })

  test('to a slow receiver delays no other, and a stopped worker leaves it to the next', async () => {
    await using desk = await openDesk()
    let held = 0
    await using slow = await startReceiver(() => {
      held += 1
      return undefined
    })
    await using quick = await startReceiver()
    const worker = await desk.worker('one')
    const waiting = await Promise.all(Array.from({ length: 40 }, () => desk.fail(slow.url)))
    await until('the slow receiver has its share', () => held === 8)
    for (const task of await Promise.all(Array.from({ length: 20 }, () => desk.fail(quick.url)))) {
      await desk.inState(task, 'delivered')
    }
    assert.equal(held, 8, 'no more than its share')
    await desk.shop.stop(worker)
    slow.answer(200)
    await desk.worker('two')
    for (const task of waiting) assert.equal((await desk.inState(task, 'delivered')).attempts, 1)
  })

  test('of a dialect that cannot render it is a fault that is counted, logged and not repeated for ever', async () => {
    await using desk = await openDesk()
    await desk.worker('one')
    const task = await desk.shop.create(desk.wallet, 'fail', { callbackUrl: 'http://127.0.0.1:1/', dialect: 'unknown' })
    const row = await desk.attempted(task, 1)
    assert.deepEqual([row.state, row.last_error], ['pending', 'A fault of ours; it is in the log.'])
    assert.ok(desk.shop.logged.some((line) => line.includes('no dialect renders the callback')))
  })

  test('reaches no private address, and says so without naming one', async () => {
    await using desk = await openDesk()
    await using victim: Receiver = await startReceiver(200)
    await desk.worker('one', [])
    const row = await desk.attempted(await desk.fail(`${victim.url}/?token=hidden`), 1)
    assert.match(row.last_error ?? '', /may not be called/)
    assert.equal(victim.connections(), 0)
  })

  test('leaves no secret in the log', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver(500)
    await desk.worker('one')
    await desk.attempted(await desk.fail(`${receiver.url}/services/T0/B0?token=hidden`), 1)
    const [secret] = await signingSecrets(desk.shop.pool, await desk.account())
    const log = desk.shop.logged.join('')
    assert.match(log, /not delivered/)
    for (const hidden of ['hidden', 'T0/B0', secret.toString('base64')]) assert.ok(!log.includes(hidden), hidden)
  })
})

describe('an upload', () => {
  test('brings the video, byte for byte, beside the callback', async () => {
    await using desk = await openDesk()
    await using bucket = await startReceiver(200)
    await using receiver = await startReceiver()
    await desk.worker('one')
    const task = await desk.shop.create(desk.wallet, 'succeed', {
      uploadUrl: `${bucket.url}/video.mp4?X-Amz-Signature=s`,
      callbackUrl: receiver.url,
    })
    await until('both are delivered', async () => {
      const rows = await desk.rows(task)
      return rows.length === 2 && rows.every(({ state }) => state === 'delivered')
    })
    const [put] = bucket.received
    assert.ok(put)
    assert.deepEqual(
      [put.method, put.path, put.headers['content-type']],
      ['PUT', '/video.mp4?X-Amz-Signature=s', 'video/mp4'],
    )
    const { rows } = await desk.shop.pool.query<{ store_key: string }>(
      `select store_key from media where task_id = $1 and kind = 'video'`,
      [uuidOf(task)],
    )
    const stored = await readFile(`${desk.shop.folder}/store/${rows[0]?.store_key}`)
    assert.equal(put.headers['content-length'], String(stored.length))
    assert.ok(put.body.equals(stored))
    assert.equal(put.headers['webhook-id'], undefined)
  })

  test('is for success only, and is given up when retention has taken the video', async () => {
    await using desk = await openDesk()
    await using bucket = await startReceiver(503)
    await desk.worker('one')
    const failed = await desk.shop.create(desk.wallet, 'fail', { uploadUrl: bucket.url })
    await desk.shop.ended(desk.wallet, failed)
    assert.deepEqual(await desk.rows(failed), [])
    const task = await desk.shop.create(desk.wallet, 'succeed', { uploadUrl: bucket.url })
    await desk.attempted(task, 1)
    await desk.shop.pool.query('update media set deleted_at = now()')
    await desk.hurry(task)
    const row = await desk.inState(task, 'failed')
    assert.match(row.last_error ?? '', /deleted/)
    assert.equal(bucket.received.length, 1)
  })
})

describe('an operator', () => {
  test('sees deliveries without their queries, has one tried again, and old ones are forgotten', async () => {
    await using desk = await openDesk()
    await using receiver = await startReceiver(410)
    const { pool } = desk.shop
    await desk.worker('one')
    const task = await desk.fail(`${receiver.url}/hook?token=hidden`)
    await desk.inState(task, 'failed')
    const [listed] = await selectDeliveries(pool, { task, state: 'failed', limit: 10 })
    assert.ok(listed)
    assert.equal(listed.shownUrl, `${receiver.url}/hook`)
    assert.equal(await deleteOldDeliveries(pool, { days: 30, limit: 10 }), 0)
    receiver.answer(200)
    assert.ok(await retryDelivery(pool, listed.id))
    await desk.inState(task, 'delivered')
    assert.equal(receiver.received[1]?.headers['webhook-id'], listed.id)
    assert.equal(await retryDelivery(pool, `msg_${'0'.repeat(32)}` as Id<'msg'>), false)
    await pool.query(`update deliveries set ended_at = now() - interval '31 days'`)
    assert.equal(await deleteOldDeliveries(pool, { days: 30, limit: 10 }), 1)
  })
})
