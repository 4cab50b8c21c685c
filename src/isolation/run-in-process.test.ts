import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, it } from 'node:test'
import { type ProcessOutcome, runInProcess } from './run-in-process.ts'

/** Enough to start a process on a busy machine. */
const TIMEOUT_MS = 60_000

type Run = (input: unknown) => Promise<unknown>

/** Has a process do what a function's body says; `input` is its parameter. */
async function run(body: string, input: unknown = null, timeoutMs = TIMEOUT_MS): Promise<ProcessOutcome<unknown>> {
  const module = `data:text/javascript,${encodeURIComponent(`export async function run(input) { ${body} }`)}`
  return await runInProcess<Run>({ module, input, timeoutMs })
}

async function answerOf(body: string): Promise<unknown> {
  const outcome = await run(body)
  assert.equal(outcome.kind, 'answered')
  return outcome.kind === 'answered' ? outcome.answer : undefined
}

describe('runInProcess', () => {
  it('answers what the work answers, from another process that it uses again', async () => {
    const input = { bytes: new Uint8Array([1, 2]), nothing: undefined }
    assert.deepEqual(await run('return input', input), { kind: 'answered', answer: input })
    const pid = await answerOf('return process.pid')
    assert.notEqual(pid, process.pid)
    assert.equal(await answerOf('return process.pid'), pid)
  })

  it('throws what the work throws, and keeps the process', async () => {
    const pid = await answerOf('return process.pid')
    await assert.rejects(run("throw new RangeError('too far')"), new RangeError('too far'))
    assert.equal(await answerOf('return process.pid'), pid)
  })

  it('shows the work none of the secrets in the environment', async () => {
    process.env['REELAY_BOOTSTRAP_KEY'] = 'rly_live_secret'
    try {
      await run('process.kill(process.pid, "SIGKILL")')
      const names = await answerOf('return Object.keys(process.env)')
      assert.ok(Array.isArray(names) && !names.includes('REELAY_BOOTSTRAP_KEY'), String(names))
    } finally {
      delete process.env['REELAY_BOOTSTRAP_KEY']
    }
  })

  it('survives work that ends its process, and says how it ended', async () => {
    const killed = await run('process.kill(process.pid, "SIGSEGV"); await new Promise(() => {})')
    assert.ok(killed.kind === 'crashed')
    assert.match(killed.cause.message, /SIGSEGV/)
    assert.ok((await run('process.exit(3)')).kind === 'crashed')
    assert.equal(await answerOf('return 1'), 1)
  })

  it('ends work that takes too much time, though it never lets go of its thread', async () => {
    assert.equal((await run('for (;;) {}', null, 2_000)).kind, 'too_much')
    assert.equal(await answerOf('return 1'), 1)
  })

  it('ends work that fills the memory beside the heap, and a process that keeps much of it', async () => {
    const filling = `
      globalThis.all = []
      const more = () => { all.push(Buffer.alloc(32 * 1024 * 1024, 1)); setTimeout(more, 5) }
      more()
      await new Promise(() => {})
    `
    assert.equal((await run(filling)).kind, 'too_much')
    const pid = await answerOf('globalThis.kept = Buffer.alloc(300 * 1024 * 1024, 1); return process.pid')
    assert.notEqual(await answerOf('return process.pid'), pid)
  })
})
