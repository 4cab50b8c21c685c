import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { RenderPool } from './render-pool.ts'

const REQUEST: GenerationRequest = {
  model: 'grok-imagine-video',
  operation: 'generate',
  prompt: 'mountains',
  durationSeconds: 1,
  resolution: '480p',
  aspectRatio: '1:1',
  mode: 'normal',
  seed: 1,
  references: [],
}

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-pool-'))
})
after(() => rm(directory, { recursive: true, force: true }))

function job(id: string, durationSeconds = 1) {
  return { id, request: { ...REQUEST, durationSeconds }, outputPath: join(directory, `${id}.mp4`) }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  await waitFor(what, holds, { lookEveryMs: 5 })
}

function alive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

test('renders in order in one warm process, and fails only the job whose process dies', async () => {
  await using pool = new RenderPool({ concurrency: 1 })
  pool.start(job('doomed', 30))
  pool.start(job('next'))
  // Known by its id: not a second job.
  pool.start({ ...job('next'), outputPath: join(directory, 'twice.mp4') })
  assert.equal(pool.state('next')?.kind, 'waiting')
  await until('progress', () => {
    const state = pool.state('doomed')
    return state?.kind === 'rendering' && state.framesDone > 0
  })
  const [victim, ...others] = pool.processIds
  assert.ok(victim !== undefined && others.length === 0)
  process.kill(victim, 'SIGKILL')
  await until('the crash', () => pool.state('doomed')?.kind === 'crashed')
  await until('the next job', () => pool.state('next')?.kind === 'done')
  const [second] = pool.processIds
  pool.start(job('after'))
  await until('the job after', () => pool.state('after')?.kind === 'done')
  assert.deepEqual(pool.processIds, [second])
  assert.deepEqual((await readdir(directory)).sort(), ['after.mp4', 'next.mp4'])
})

test('cancels a waiting job and a running one, and forgets them', async () => {
  await using pool = new RenderPool({ concurrency: 1 })
  pool.start(job('running', 30))
  pool.start(job('waiting'))
  await until('progress', () => {
    const state = pool.state('running')
    return state?.kind === 'rendering' && state.framesDone > 0
  })
  pool.cancel('waiting')
  pool.cancel('running')
  pool.cancel('running')
  assert.deepEqual([pool.state('waiting'), pool.state('running')], [undefined, undefined])
  await until('the file to go', () => !existsSync(join(directory, 'running.mp4.part')))
  assert.equal(existsSync(join(directory, 'running.mp4')), false)
})

test('ends its processes when it is disposed', async () => {
  const pool = new RenderPool({ concurrency: 2 })
  pool.start(job('one', 30))
  pool.start(job('two', 30))
  const processIds = pool.processIds
  assert.equal(processIds.length, 2)
  await pool[Symbol.asyncDispose]()
  await until('the processes to end', () => !processIds.some(alive))
  assert.throws(() => pool.start(job('late')), /closed/u)
})

test('reports a render that throws, and keeps the process', async () => {
  await using pool = new RenderPool({ concurrency: 1 })
  pool.start({ ...job('nowhere'), outputPath: join(import.meta.filename, 'clip.mp4') })
  await until('the failure', () => pool.state('nowhere')?.kind === 'crashed')
  const [processId] = pool.processIds
  pool.forget('nowhere')
  assert.equal(pool.state('nowhere'), undefined)
  pool.start(job('fine'))
  await until('the next job', () => pool.state('fine')?.kind === 'done')
  assert.deepEqual(pool.processIds, [processId])
})

test('renders on when Ctrl-C or a service manager signals the whole group', async () => {
  await using pool = new RenderPool({ concurrency: 1 })
  pool.start(job('signalled', 6))
  await until('progress', () => {
    const state = pool.state('signalled')
    return state?.kind === 'rendering' && state.framesDone > 0
  })
  const [processId] = pool.processIds
  assert.ok(processId !== undefined)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(processId, signal)
  pool.start(job('next'))
  await until('the job', () => pool.state('signalled')?.kind === 'done')
  await until('the next job', () => pool.state('next')?.kind === 'done')
  assert.deepEqual(pool.processIds, [processId])
})

test('lets customers take turns: the one that has the fewest renders is next, however many another began before', async () => {
  await using pool = new RenderPool({ concurrency: 1 })
  const ofOne = ['one 1', 'one 2', 'one 3', 'one 4'].map((id) => ({ ...job(id), customer: 'one' }))
  for (const each of ofOne) pool.start(each)
  pool.start({ ...job('another'), customer: 'another' })
  await until('the job of the other', () => pool.state('another')?.kind === 'done')
  const done = ofOne.filter(({ id }) => pool.state(id)?.kind === 'done')
  assert.ok(done.length <= 2, `${done.length} of 4 were done before it`)
})
