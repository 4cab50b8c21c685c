/** What the SIGKILL tests of a chain share: waiting for the end of a task, and a look at both sides after it. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { idOf, uuidOf } from '../../src/canonical/ids.ts'
import type { FaultPoint } from '../../src/observe/fault-point.ts'
import { type Asked, CUSTOMERS, taskIdOf } from '../acceptance/chained-customers.ts'
import type { Chain, ChainedKind } from '../support/chain.ts'
import { type Seen, waitFor, within } from '../support/patience.ts'
import type { Exit, TestServer } from '../support/server.ts'
import { assertAtRest, type TaskTrace, traceOf } from './sigkill.ts'

const KILLED: Exit = { code: null, signal: 'SIGKILL' }
export const NO_FAULT = { REELAY_FAULT: undefined }

/** A task that somebody had made, and paid for, once. */
const PAID_ONCE: TaskTrace = { state: 'succeeded', attempts: ['succeeded'], transfers: ['reserve', 'capture'] }

/** With polls of 0.2 s, that double while nobody answers; a machine that is busy starts a process in seconds. */
const END_PATIENCE_MS = 60_000

export class ChainWatch {
  readonly chain: Chain
  readonly kind: ChainedKind
  readonly #seen = new Set<string>()

  constructor(chain: Chain, kind: ChainedKind) {
    this.chain = chain
    this.kind = kind
  }

  /** Asks the gateway for a video; `undefined` where its answer was lost with it. */
  async create(asked: Asked): Promise<string | undefined> {
    try {
      return taskIdOf(await CUSTOMERS[this.kind].create(this.chain.gateway, asked))
    } catch (error) {
      if (error instanceof TypeError) return undefined
      throw error
    }
  }

  /** Jobs that the upstream has made since the last time that this was asked. */
  async newJobs(): Promise<string[]> {
    const { rows } = await this.chain.upstream.withDatabase((pool) =>
      pool.query<{ id: string }>('select id from tasks'),
    )
    const found = rows.map(({ id }) => idOf('task', id)).filter((id) => !this.#seen.has(id))
    for (const id of found) this.#seen.add(id)
    return found
  }

  /** Asks a gateway that is there for a video. */
  async created(): Promise<string> {
    const id = await this.create({ prompt: 'A quiet sea at dawn' })
    assert.ok(id !== undefined)
    return id
  }

  /** Waits until nobody knows what became of the task: its credits stay on hold, and the operator is shown it. */
  async assertUncertain(id: string): Promise<void> {
    const { gateway } = this.chain
    await waitFor(`${id} to be uncertain`, async () =>
      (await traceOf(gateway, id)).attempts.at(-1) === 'uncertain' ? true : undefined,
    )
    assert.deepEqual((await traceOf(gateway, id)).transfers, ['reserve'])
    const { stdout } = await gateway.command('tasks', 'uncertain', '--json')
    const { tasks } = z.object({ tasks: z.array(z.object({ task: z.string() })) }).parse(JSON.parse(stdout))
    assert.deepEqual(tasks, [{ task: id }])
  }

  /** As its operator does. */
  async resolve(id: string, ...how: readonly string[]): Promise<void> {
    const { code, stderr } = await this.chain.gateway.command('tasks', 'resolve', id, ...how)
    assert.equal(code, 0, stderr)
  }

  /** What follows where nobody knows: nothing, until the operator has looked at the upstream and found the job there. */
  async resolveByHand(id: string): Promise<void> {
    await this.assertUncertain(id)
    const { rows } = await this.chain.upstream.withDatabase((pool) =>
      pool.query<{ id: string }>('select id from tasks order by id desc limit 1'),
    )
    const uuid = rows[0]?.id ?? ''
    const job = this.kind === 'acedata' || this.kind === 'xai' ? uuid : idOf('task', uuid)
    await this.resolve(id, '--operation', JSON.stringify({ id: job }))
  }

  /** Waits until the task succeeded on both sides, was paid once on either, and left nothing on hold. */
  async assertPaidOnce(id: string, trace: TaskTrace = PAID_ONCE): Promise<void> {
    const { gateway, upstream } = this.chain
    const state = await waitFor(`${id} to end`, (seen) => endOf(gateway, id, seen))
    assert.equal(state, 'succeeded', gateway.log().slice(-3_000))
    assert.deepEqual(await traceOf(gateway, id), trace)
    const jobs = await this.newJobs()
    assert.equal(jobs.length, 1, 'the upstream made one job')
    assert.deepEqual(await traceOf(upstream, jobs[0] ?? ''), PAID_ONCE)
    await assertAtRest(gateway)
    await assertAtRest(upstream)
  }

  /** All that the customers of the gateway have paid, it has paid. */
  async assertSpentTheSame(videos: number): Promise<void> {
    const [gateway, upstream] = await Promise.all([spentBy(this.chain.gateway), spentBy(this.chain.upstream)])
    assert.deepEqual(gateway, upstream)
    assert.equal(gateway.videos, videos)
  }
}

/** Starts a server anew, to die at a point. */
export async function arm(server: TestServer, point: FaultPoint): Promise<void> {
  await server.kill()
  await server.start({ REELAY_FAULT: point })
}

/** Waits until the server has died at the point that it was armed with. */
export async function assertKilled(server: TestServer): Promise<void> {
  assert.deepEqual(await within(END_PATIENCE_MS, server.exited), KILLED, server.log().slice(-2_000))
}

/** Waits until the server has died at the point that it was armed with, and starts it again. */
export async function revive(
  server: TestServer,
  next: { readonly REELAY_FAULT: FaultPoint | undefined },
): Promise<void> {
  await assertKilled(server)
  await server.start(next)
}

async function endOf(server: TestServer, id: string, seen: Seen): Promise<string | undefined> {
  const { rows } = await server.withDatabase((pool) =>
    pool.query<{ state: string; progress: number | null; finished: boolean }>(
      'select state, progress, finished_at is not null as finished from tasks where id = $1',
      [uuidOf(id as Parameters<typeof uuidOf>[0])],
    ),
  )
  seen(rows)
  return rows[0]?.finished === true ? rows[0].state : undefined
}

async function spentBy(server: TestServer): Promise<{ credits: number; videos: number }> {
  return await server.withDatabase(async (pool) => {
    const { rows } = await pool.query<{ credits: number; videos: number }>(
      `select sum(spent)::integer as credits,
         (select count(*)::integer from ledger_transfers where kind = 'capture') as videos from wallets`,
    )
    assert.ok(rows[0])
    return rows[0]
  })
}
