import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { GenerationRequest } from '../../canonical/generation.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Provider } from '../provider.ts'
import { createAnimaticProvider } from './adapter.ts'

const { signal } = new AbortController()

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-animatic-'))
})
after(() => rm(directory, { recursive: true, force: true }))

function request(prompt: string): GenerationRequest {
  return {
    model: 'grok-imagine-video',
    prompt,
    durationSeconds: 1,
    resolution: '480p',
    aspectRatio: '1:1',
    mode: 'normal',
    seed: 1,
  }
}

async function accepted(provider: Provider, prompt: string, token: string): Promise<JsonObject> {
  const outcome = await provider.start(request(prompt), { token, signal })
  assert.equal(outcome.kind, 'accepted')
  // Through JSON, as the database would bring it back.
  return outcome.kind === 'accepted' ? JSON.parse(JSON.stringify(outcome.operation)) : {}
}

async function finished(provider: Provider, operation: JsonObject): Promise<string> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const outcome = await provider.poll(operation, { signal })
    if (outcome.kind === 'succeeded') return outcome.assets[0]?.path ?? ''
    assert.equal(outcome.kind, 'pending')
    assert.ok(Date.now() < deadline, 'the render takes too long')
    await pause(5)
  }
}

test('renders a request once however often it is started, and discards the file', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1, now: () => 1_000 })
  const operation = await accepted(provider, 'waves', 'once')
  assert.deepEqual(await accepted(provider, 'waves', 'once'), operation)
  const path = await finished(provider, operation)
  assert.ok(existsSync(path))
  assert.deepEqual(await readdir(directory), [path.slice(directory.length + 1)])
  await provider.discard?.(operation)
  await provider.discard?.(operation)
  assert.deepEqual(await readdir(directory), [])
})

test('renders again in a process that never saw the job, and picks up a file that is there', async () => {
  const first = createAnimaticProvider({ directory, concurrency: 1 })
  const operation = await accepted(first, 'a forest', 'survivor')
  // Down in the middle of the render, without a word.
  await first[Symbol.asyncDispose]()
  assert.equal(existsSync(join(directory, 'survivor.mp4')), false)

  await using second = createAnimaticProvider({ directory, concurrency: 1 })
  const path = await finished(second, operation)
  await using third = createAnimaticProvider({ directory, concurrency: 1 })
  assert.deepEqual(await third.poll(operation, { signal }), { kind: 'succeeded', assets: [{ kind: 'video', path }] })
  await third.discard?.(operation)
})

test('stops a job that is cancelled', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const operation = await accepted(provider, 'a city', 'cancelled')
  await provider.cancel?.(operation, { signal })
  await provider.cancel?.(operation, { signal })
  assert.equal((await readdir(directory)).filter((name) => name.endsWith('.mp4')).length, 0)
})

test('ends as the sandbox prompt says, after a while, also in a fresh process', async () => {
  let clock = 1_000_000
  const now = () => clock
  await using provider = createAnimaticProvider({ directory, concurrency: 1, now })
  for (const [prompt, expected] of [
    ['sandbox:fail', { kind: 'failed', reason: 'generation_failed' }],
    ['sandbox:moderated', { kind: 'failed', reason: 'moderated' }],
    ['sandbox:expire', { kind: 'expired', reason: undefined }],
    ['sandbox:slow=20 sandbox:fail', { kind: 'failed', reason: 'generation_failed' }],
  ] as const) {
    clock = 1_000_000
    const operation = await accepted(provider, prompt, prompt)
    assert.equal((await provider.poll(operation, { signal })).kind, 'pending', prompt)
    clock += prompt.includes('slow') ? 21_000 : 1_000
    await using fresh = createAnimaticProvider({ directory, concurrency: 1, now })
    for (const each of [provider, fresh]) {
      const outcome = await each.poll(operation, { signal })
      const reason = outcome.kind === 'failed' ? outcome.failure.reason : undefined
      assert.deepEqual({ kind: outcome.kind, reason }, expected)
    }
  }
})

test('waits as long as sandbox:slow says, with progress, and only then renders', async () => {
  let clock = 5_000
  await using provider = createAnimaticProvider({ directory, concurrency: 1, now: () => clock })
  const operation = await accepted(provider, 'a lake sandbox:slow=20', 'slow')
  const seen: unknown[] = []
  for (const atMs of [0, 5_000, 10_000, 19_999, 20_000]) {
    clock = 5_000 + atMs
    seen.push(await provider.poll(operation, { signal }))
  }
  assert.deepEqual(
    seen,
    [0, 20, 40, 79, 80].map((progress) => ({ kind: 'pending', progress })),
  )
  await provider.discard?.({ ...operation, token: 'slow' })
})

test('refuses a malformed sandbox prompt for good', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const outcome = await provider.start(request('sandbox:slow=abc'), { token: 'bad', signal })
  assert.equal(outcome.kind, 'rejected')
  assert.ok(outcome.kind === 'rejected' && !outcome.retryable && outcome.failure.reason === 'unsupported_input')
})

test('throws for an operation that it did not write', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const operation = await accepted(provider, 'sandbox:fail', 'valid')
  for (const broken of [
    {},
    { ...operation, token: 7 },
    { ...operation, request: null },
    { ...operation, request: { prompt: 'x' } },
  ]) {
    await assert.rejects(provider.poll(broken, { signal }), TypeError)
  }
})
