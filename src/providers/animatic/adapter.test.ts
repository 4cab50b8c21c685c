import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { waitFor } from '../../../test/support/patience.ts'
import type { GenerationRequest } from '../../canonical/generation.ts'
import { newId } from '../../canonical/ids.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Reference } from '../../canonical/reference.ts'
import type { PollOutcome, ProducedAsset, Provider } from '../provider.ts'
import { createAnimaticProvider } from './adapter.ts'

const { signal } = new AbortController()
/** The bytes of every reference, as the store gives them. */
const openReference = async () => Readable.from([PICTURE])
const context = { openReference, signal, keep: async () => {} }

const PICTURE = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#3a6ea5' } })
  .png()
  .toBuffer()

const REFERENCE: Reference = {
  role: 'firstFrame',
  fileId: newId('file'),
  kind: 'image',
  mimeType: 'image/png',
  sizeBytes: PICTURE.length,
  sha256: '00',
  storeKey: 'files/ab/cd.png',
  width: 320,
  height: 240,
}

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-animatic-'))
})
after(() => rm(directory, { recursive: true, force: true }))

function request(prompt: string): GenerationRequest {
  return {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt,
    durationSeconds: 1,
    resolution: '480p',
    aspectRatio: '1:1',
    mode: 'normal',
    seed: 1,
  }
}

async function accepted(provider: Provider, prompt: string, token: string): Promise<JsonObject> {
  const outcome = await provider.start(request(prompt), { ...context, token })
  assert.equal(outcome.kind, 'accepted')
  // Through JSON, as the database would bring it back.
  return outcome.kind === 'accepted' ? JSON.parse(JSON.stringify(outcome.operation)) : {}
}

function localPath(asset: ProducedAsset | undefined): string {
  assert.ok(asset !== undefined && 'path' in asset)
  return asset.path
}

async function finished(provider: Provider, operation: JsonObject): Promise<string> {
  return await waitFor('the render to end', async (seen) => {
    const outcome = await provider.poll(operation, context)
    if (outcome.kind === 'succeeded') return localPath(outcome.assets[0])
    assert.ok(outcome.kind === 'pending')
    seen(outcome.progress)
    return undefined
  })
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
  assert.deepEqual(await third.poll(operation, context), { kind: 'succeeded', assets: [{ kind: 'video', path }] })
  await third.discard?.(operation)
})

test('stops a job that is cancelled', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const operation = await accepted(provider, 'a city', 'cancelled')
  await provider.cancel?.(operation, context)
  await provider.cancel?.(operation, context)
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
    assert.equal((await provider.poll(operation, context)).kind, 'pending', prompt)
    clock += prompt.includes('slow') ? 21_000 : 1_000
    await using fresh = createAnimaticProvider({ directory, concurrency: 1, now })
    for (const each of [provider, fresh]) {
      const outcome = await each.poll(operation, context)
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
    seen.push(await provider.poll(operation, context))
  }
  assert.deepEqual(
    seen,
    [0, 20, 40, 79, 80].map((progress) => ({ kind: 'pending', progress })),
  )
  await provider.discard?.({ ...operation, token: 'slow' })
})

test('refuses a malformed sandbox prompt for good', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const outcome = await provider.start(request('sandbox:slow=abc'), { ...context, token: 'bad' })
  assert.equal(outcome.kind, 'rejected')
  assert.ok(
    outcome.kind === 'rejected' && outcome.because === 'request' && outcome.failure.reason === 'unsupported_input',
  )
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
    await assert.rejects(provider.poll(broken, context), TypeError)
  }
})

test('copies the references of a job to its own disk, renders from them, and discards them with the video', async () => {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  const asked = { ...request('slow zoom'), references: [REFERENCE] }
  const outcome = await provider.start(asked, { ...context, token: 'with a picture' })
  assert.ok(outcome.kind === 'accepted')
  const operation: JsonObject = JSON.parse(JSON.stringify(outcome.operation))
  const path = await finished(provider, operation)
  assert.ok(existsSync(`${path}.0.png`))
  await provider.discard?.(operation)
  assert.deepEqual(await readdir(directory), [])
})

/**
 * How a job ends whose reference has these bytes at each of its renders, and how many of them were opened: after each
 * render the copy on the provider's disk is gone.
 */
async function endOf(bytes: readonly Buffer[], token: string): Promise<{ outcome: PollOutcome; opened: number }> {
  await using provider = createAnimaticProvider({ directory, concurrency: 1 })
  let opened = 0
  const open = {
    ...context,
    openReference: async () => {
      opened += 1
      return Readable.from([bytes[opened - 1] ?? PICTURE])
    },
  }
  const asked = { ...request('slow zoom'), references: [REFERENCE] }
  const started = await provider.start(asked, { ...open, token })
  assert.ok(started.kind === 'accepted')
  const operation: JsonObject = JSON.parse(JSON.stringify(started.operation))
  for (const name of await readdir(directory)) if (name.endsWith('.0.png')) await rm(join(directory, name))
  const outcome = await waitFor('the render to end', async (seen) => {
    const now = await provider.poll(operation, open)
    if (now.kind !== 'pending') return now
    seen(now.progress)
    return undefined
  })
  await provider.discard?.(operation)
  return { outcome, opened }
}

const NO_PICTURE = Buffer.from('no picture')

test('renders once more when a render stops', async () => {
  const { outcome, opened } = await endOf([NO_PICTURE, PICTURE], 'stops once')
  assert.deepEqual([outcome.kind, opened], ['succeeded', 2])
  assert.deepEqual(await readdir(directory), [])
})

test('is gone, with the cause, when the second render stops as well, so that it is begun anew elsewhere', async () => {
  const { outcome, opened } = await endOf([NO_PICTURE, NO_PICTURE], 'stops twice')
  assert.ok(outcome.kind === 'gone')
  assert.equal(opened, 2)
  assert.match(outcome.cause ?? '', /unsupported image format/u)
  assert.deepEqual(await readdir(directory), [])
})
