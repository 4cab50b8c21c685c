/** Slots of the renderer: an account that first waits on purpose, and then draws, beside one that just draws. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAsync, retrieve, waitForResponse } from '../acceptance/acedata.ts'
import { waitFor } from '../support/patience.ts'
import { startServer } from '../support/server.ts'

const MANY = 6
/** What the waiting on purpose fills of a job's progress. */
const WAITED_PERCENT = 80

describe('an account that has its videos wait before they are drawn', () => {
  test('draws one at a time with another account, not all of them before it', async () => {
    await using server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '1' } })
    const [greedy, other] = await Promise.all([1, 2].map(() => server.createAccount({ credits: 1_000 })))
    assert.ok(greedy !== undefined && other !== undefined)
    const slow = { prompt: 'sandbox:slow=1 a city at night in the rain', duration: 4, aspect_ratio: '1:1' }
    const its = await Promise.all(Array.from({ length: MANY }, () => createAsync(server, slow, { key: greedy.key })))
    const ids = its.map(({ id }) => id)
    await waitFor('all of them to have waited', async () => {
      const answers = await Promise.all(
        ids.map((id) => server.ask('POST', '/grok/tasks', { key: greedy.key, body: { id } })),
      )
      const progress = answers.map(({ headers }) => Number(headers.get('generation-progress')))
      return progress.every((percent) => percent >= WAITED_PERCENT) ? true : undefined
    })
    const prompt = { prompt: 'a quiet sea', duration: 1, aspect_ratio: '1:1' }
    const { id } = await createAsync(server, prompt, { key: other.key })
    const ended = await waitForResponse(server, id, { key: other.key })
    assert.equal(ended.response?.success, true)
    const tasks = await Promise.all(ids.map((each) => retrieve(server, each, { key: greedy.key })))
    const before = tasks.filter(({ finished_at = Infinity }) => finished_at < (ended.finished_at ?? 0)).length
    // Those that were done, or under way, when it came; and at most one that its turn let pass.
    assert.ok(before <= MANY / 2, `${before} of ${MANY} ended before it`)
  })
})
