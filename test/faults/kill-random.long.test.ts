/**
 * SIGKILL at moments that nobody chose, under a small load of creates, cancels and reads. A client that lost an answer
 * asks again with its key, as clients do. Whatever the moment: one task for each key, every task ends, every hold is
 * settled once. The seed is printed; `REELAY_TEST_SEED` replays the schedule, if not the very instant.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { generationOf } from '../acceptance/rivya.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { assertAtRest, assertStoreMatchesRows, filesIn } from './sigkill.ts'
import { announceSeed, seededRandom } from './workshop.ts'

const ROUNDS = 8
const CLIENTS = 4
/** Each of a client in one life of the server: more would only make the end, when all must end, take longer. */
const CREATES = 4
const CREDITS = 100_000
const PROMPTS = ['sandbox:fail', 'sandbox:moderated', 'sandbox:expire', 'sandbox:fail sandbox:slow=2']

interface Client {
  readonly random: () => number
  /** Keys whose create was sent; with the id once it was told. */
  readonly sent: Map<string, { readonly prompt: string; id: string | undefined }>
}

function createWith(server: TestServer, key: string, prompt: string) {
  const body = { model: 'grok-imagine-video', prompt }
  return server.ask('POST', '/api/v1/generations', { body, headers: { 'idempotency-key': key } })
}

/** Does one random thing after another until the server no longer answers. */
async function work(server: TestServer, client: Client, name: string): Promise<void> {
  const until = client.sent.size + CREATES
  for (;;) {
    try {
      const known = [...client.sent.values()].flatMap(({ id }) => id ?? [])
      const some = known[Math.floor(client.random() * known.length)]
      const what = client.random()
      if (some === undefined || (what < 0.3 && client.sent.size < until)) {
        const prompt = PROMPTS[Math.floor(client.random() * PROMPTS.length)] ?? 'sandbox:fail'
        const key = `${name}-${client.sent.size}`
        const entry = { prompt, id: undefined as string | undefined }
        client.sent.set(key, entry)
        entry.id = generationOf(await createWith(server, key, prompt)).id
      } else if (what < 0.75) {
        const answer = await server.ask('POST', `/api/v1/generations/${some}/cancel`)
        assert.ok([200, 409].includes(answer.status), answer.text)
      } else {
        generationOf(await server.ask('GET', `/api/v1/generations/${some}`))
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      return
    }
  }
}

describe('a server that is killed at random', () => {
  it('loses no task, makes none twice, and leaves no credit on hold', async (t) => {
    const seed = announceSeed(t)
    const random = seededRandom(seed)
    await using server = await startServer({ credits: CREDITS, env: { REELAY_RENDER_CONCURRENCY: '16' } })
    const clients: Client[] = Array.from({ length: CLIENTS }, () => ({
      random: seededRandom(Math.floor(random() * 2 ** 32)),
      sent: new Map(),
    }))
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round > 0) await server.start()
      const working = Promise.allSettled(clients.map((client, at) => work(server, client, `client-${at}`)))
      await delay(100 + random() * 900)
      assert.deepEqual(await server.kill(), { code: null, signal: 'SIGKILL' })
      const wrong = (await working).filter((each) => each.status === 'rejected')
      assert.deepEqual(
        wrong.map((each) => each.reason),
        [],
        `seed ${seed}, round ${round}`,
      )
    }
    await server.start()

    const ids = new Set<string>()
    let sent = 0
    for (const client of clients) {
      for (const [key, { prompt, id }] of client.sent) {
        sent += 1
        const again = generationOf(await createWith(server, key, prompt))
        if (id !== undefined) assert.equal(again.id, id, `${key} is another task now; seed ${seed}`)
        ids.add(again.id)
      }
    }
    assert.equal(ids.size, sent, `each key has a task of its own; seed ${seed}`)
    await server.withDatabase((pool) =>
      waitFor(`all tasks to end; seed ${seed}`, async (seen) => {
        const { rows } = await pool.query('select from tasks where finished_at is null')
        seen(rows.length)
        return rows.length === 0
      }),
    )
    const { rows } = await server.withDatabase((pool) =>
      pool.query(
        `select (select count(*)::integer from tasks) as tasks, (select sum(spent)::integer from wallets) as spent,
           (select available::integer from wallets where granted = $1) as available`,
        [CREDITS],
      ),
    )
    assert.deepEqual(rows, [{ tasks: sent, spent: 0, available: CREDITS }], `seed ${seed}`)
    await assertAtRest(server)
    await assertStoreMatchesRows(server)
    assert.deepEqual(await filesIn(server, 'scratch'), [])
    t.diagnostic(`${sent} tasks in ${ROUNDS} lives`)
  })
})
