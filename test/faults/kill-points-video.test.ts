/**
 * SIGKILL while a finished video is collected, or after. The server dies at a named point of the life of a task, is started again on
 * the same database and directory, and must bring the task to its end: one task for one key, one attempt, each hold
 * settled once, nothing left behind. Failures seen elsewhere: charged twice, never refunded, orphaned tasks.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FaultPoint } from '../../src/observe/fault-point.ts'
import { type Generation, generationOf, waitForStatus } from '../acceptance/rivya.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { assertAtRest, assertStoreMatchesRows, filesIn, traceOf } from './sigkill.ts'

const POINTS: readonly FaultPoint[] = ['poll.succeeded', 'collect.marked', 'collect.stored', 'settle.committed']

const PROMPT = 'a lighthouse at night'
const END = { status: 'succeeded', credits: 10, transfer: 'capture' } as const

const NO_FAULT = { REELAY_FAULT: undefined }

describe('a server that is killed', () => {
  let server: TestServer

  before(async () => {
    server = await startServer({ credits: 1_000 })
  })
  after(async () => {
    await server.stop()
  })

  for (const point of POINTS) {
    it(`at ${point} goes on from what it had written`, async () => {
      await server.kill()
      await server.start({ REELAY_FAULT: point })
      const body = { model: 'grok-imagine-video', prompt: PROMPT, params: { duration: 6, resolution: '480p' } }
      const create = async (): Promise<Generation> =>
        generationOf(
          await server.ask('POST', '/api/v1/generations', { body, headers: { 'idempotency-key': `at-${point}` } }),
        )
      const answered = await create().catch(() => undefined)
      assert.deepEqual(await server.exited, { code: null, signal: 'SIGKILL' }, server.log().slice(-2_000))
      assert.equal(answered === undefined, point.startsWith('submit.'), 'only a death before the answer loses it')

      await server.start(NO_FAULT)
      const again = await create()
      if (answered !== undefined) assert.equal(again.id, answered.id)
      const ended = await waitForStatus(server, again.id, ['succeeded', 'failed'])
      assert.equal(ended.status, END.status, JSON.stringify(ended.error))
      assert.equal(ended.final_credits, END.credits)
      assert.equal((await create()).id, again.id)

      const trace = await traceOf(server, again.id)
      assert.deepEqual(trace, { state: END.status, attempts: [END.status], transfers: ['reserve', END.transfer] })
      await assertAtRest(server)
      await assertStoreMatchesRows(server)
      const video = await fetch(ended.result?.primary_url ?? '')
      assert.equal(video.status, 200)
      assert.ok((await video.arrayBuffer()).byteLength > 10_000)
      // Told to discard after the settlement, the provider keeps nothing; killed in between, it keeps one finished file.
      const left = point === 'settle.committed' ? 1 : 0
      await waitFor('the scratch folder to be tidy', async () => {
        const files = await filesIn(server, 'scratch')
        return files.length <= left && files.every((file) => !file.endsWith('.part')) ? true : undefined
      })
    })
  }

  it('and charged each of its videos once', async () => {
    const { rows } = await server.withDatabase((pool) =>
      pool.query(`select available::integer, spent::integer from wallets where granted = 1000`),
    )
    assert.deepEqual(rows, [{ available: 1_000 - 10 * POINTS.length, spent: 10 * POINTS.length }])
  })
})
