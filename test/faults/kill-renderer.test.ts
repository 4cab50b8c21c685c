/** SIGKILL of the process that renders: the task that it had fails and costs nothing; the server and the next task go on. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { create, credits, waitForStatus } from '../acceptance/rivya.ts'
import { startServer, waitFor } from '../support/server.ts'
import { assertAtRest, assertStoreMatchesRows, filesIn, traceOf } from './sigkill.ts'

/** The render process of a server, by the table of processes. */
async function rendererOf(serverPid: number): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  for (const line of stdout.split('\n')) {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    if (Number(parent) === serverPid && command.includes('render-process')) return Number(pid)
  }
  return undefined
}

describe('a render process that is killed', () => {
  it('fails its own task without a charge; the server goes on and renders the next', async () => {
    await using server = await startServer({ credits: 100, env: { REELAY_RENDER_CONCURRENCY: '1' } })
    const { pid } = server
    assert.ok(pid !== undefined)
    const body = { model: 'grok-imagine-video', params: { duration: 6, resolution: '480p' } }
    const doomed = await create(server, { ...body, prompt: 'a city in the rain' })
    const next = await create(server, { ...body, prompt: 'a meadow at noon' })
    const renderer = await waitFor('the renderer to work', async () => {
      const progress = (await server.ask('GET', `/api/v1/generations/${doomed.id}`)).headers.get('generation-progress')
      return Number(progress) > 0 ? await rendererOf(pid) : undefined
    })
    process.kill(renderer, 'SIGKILL')

    const failed = await waitForStatus(server, doomed.id, ['succeeded', 'failed'])
    assert.equal(failed.status, 'failed')
    assert.equal(failed.final_credits, 0)
    assert.deepEqual(await traceOf(server, doomed.id), {
      state: 'failed',
      attempts: ['failed'],
      transfers: ['reserve', 'release'],
    })
    const succeeded = await waitForStatus(server, next.id, ['succeeded', 'failed'])
    assert.equal(succeeded.status, 'succeeded', JSON.stringify(succeeded.error))
    assert.equal(server.pid, pid, 'the server was not restarted')
    assert.equal(await credits(server), 90)
    await assertAtRest(server)
    await assertStoreMatchesRows(server)
    await waitFor('the scratch folder to be tidy', async () =>
      (await filesIn(server, 'scratch')).length === 0 ? true : undefined,
    )
  })
})
