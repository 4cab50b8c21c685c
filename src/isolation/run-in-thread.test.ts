import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { runInThread, type ThreadOutcome } from './run-in-thread.ts'

/** Enough to start a thread on a busy machine. */
const TIMEOUT_MS = 20_000

type Run = (input: unknown) => Promise<unknown>

/** Has a thread do what a function's body says; `input` is its parameter. */
async function run(body: string, input: unknown = undefined, timeoutMs = TIMEOUT_MS): Promise<ThreadOutcome<unknown>> {
  const module = `data:text/javascript,${encodeURIComponent(`export async function run(input) { ${body} }`)}`
  return await runInThread<Run>({ module, input, timeoutMs })
}

const THREAD_ID = "return (await import('node:worker_threads')).threadId"

describe('runInThread', () => {
  it('answers what the work answers, to whatever was put in', async () => {
    const input = { bytes: new Uint8Array([1, 2]), nothing: undefined }
    assert.deepEqual(await run('return input', input), { kind: 'answered', answer: input })
  })

  it('throws what the work throws, and keeps the thread', async () => {
    const before = await run(THREAD_ID)
    await assert.rejects(run("throw new RangeError('too far')"), new RangeError('too far'))
    await assert.rejects(runInThread<Run>({ module: 'data:text/javascript,', input: 1, timeoutMs: TIMEOUT_MS }), /run/)
    assert.deepEqual(await run(THREAD_ID), before)
  })

  it('ends work that takes too much time, though it never lets go of its thread', async () => {
    assert.equal((await run('for (;;) {}', undefined, 100)).kind, 'too_much')
    assert.deepEqual(await run('return 1'), { kind: 'answered', answer: 1 })
  })

  it('ends work that takes too much memory, and nothing else', async () => {
    const outcome = await run('for (const all = []; ; ) all.push({ all: [all] })')
    assert.ok(outcome.kind === 'too_much')
    assert.match(outcome.cause.message, /memory/)
    assert.deepEqual(await run('return 1'), { kind: 'answered', answer: 1 })
  })

  it('keeps one thread, however many there were', async () => {
    const several = await Promise.all([run(THREAD_ID), run(THREAD_ID), run(THREAD_ID)])
    const kept = await run(THREAD_ID)
    assert.ok(several.some((one) => isDeepStrictEqual(one, kept)))
    assert.deepEqual(await run(THREAD_ID), kept)
  })
})
