/**
 * SIGKILL of the process that renders, as the system does when memory is short: the task is rendered again; when that is killed too
 * it goes back to the queue, for this worker or another. The server and the next task go on.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { create, credits, type Generation, waitForStatus } from '../acceptance/rivya.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { assertAtRest, assertStoreMatchesRows, filesIn, traceOf } from './sigkill.ts'

const BODY = { model: 'grok-imagine-video', params: { duration: 6, resolution: '480p' } }
const ENDED: readonly Generation['status'][] = ['succeeded', 'failed']

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
  let server: TestServer
  let pid: number
  before(async () => {
    server = await startServer({ credits: 100, env: { REELAY_RENDER_CONCURRENCY: '1' } })
    assert.ok(server.pid !== undefined)
    pid = server.pid
  })
  after(() => server.stop())

  /** Kills the process that renders, and answers its id. */
  async function kill(what: string, isTheOne: (renderer: number) => boolean): Promise<number> {
    const renderer = await waitFor(what, async () => {
      const found = await rendererOf(pid)
      return found !== undefined && isTheOne(found) ? found : undefined
    })
    process.kill(renderer, 'SIGKILL')
    return renderer
  }

  async function killAtWork(id: string): Promise<number> {
    await waitFor('the renderer to work', async () => {
      const progress = (await server.ask('GET', `/api/v1/generations/${id}`)).headers.get('generation-progress')
      return Number(progress) > 0 ? true : undefined
    })
    return kill('the renderer', () => true)
  }

  async function assertTidy(): Promise<void> {
    assert.equal(server.pid, pid, 'the server was not restarted')
    await assertAtRest(server)
    await assertStoreMatchesRows(server)
    await waitFor('the scratch folder to be tidy', async () =>
      (await filesIn(server, 'scratch')).length === 0 ? true : undefined,
    )
  }

  it('costs the task time and nothing else: the video still comes, in the same attempt', async () => {
    const { id } = await create(server, { ...BODY, prompt: 'a forest in the mist' })
    await killAtWork(id)
    const ended = await waitForStatus(server, id, ENDED)
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    assert.deepEqual(await traceOf(server, id), {
      state: 'succeeded',
      attempts: ['succeeded'],
      transfers: ['reserve', 'capture'],
    })
    assert.equal(await credits(server), 90)
    await assertTidy()
  })

  it('puts the task back into the queue when it is killed again, and a third renderer makes the video', async () => {
    const unlucky = await create(server, { ...BODY, prompt: 'a city in the rain' })
    const first = await killAtWork(unlucky.id)
    await kill('the second renderer', (renderer) => renderer !== first)
    const ended = await waitForStatus(server, unlucky.id, ENDED)
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    assert.deepEqual(await traceOf(server, unlucky.id), {
      state: 'succeeded',
      attempts: ['succeeded'],
      transfers: ['reserve', 'capture'],
    })
    assert.match(server.log(), /the provider lost the job/)
    assert.equal(await credits(server), 80)
    const next = await create(server, { ...BODY, prompt: 'a meadow at noon' })
    const succeeded = await waitForStatus(server, next.id, ENDED)
    assert.equal(succeeded.status, 'succeeded', JSON.stringify(succeeded.error))
    assert.equal(await credits(server), 70)
    await assertTidy()
  })
})
