import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { ProviderBench } from '../../../test/support/provider-kit/provider-bench.ts'
import type { ProviderCase } from '../../../test/support/provider-kit/provider-case.ts'
import { sampleReference, sampleRequest } from '../../../test/support/sample-request.ts'
import { formParts } from '../../../test/support/upstream/form-parts.ts'
import { rivyaSpeech } from '../../../test/support/upstream/rivya-speech.ts'
import type { Json } from '../../canonical/json.ts'
import type { PollOutcome } from '../provider.ts'
import { createRivyaProvider } from './adapter.ts'
import created from './fixtures/created.json' with { type: 'json' }
import failed from './fixtures/failed.json' with { type: 'json' }
import succeeded from './fixtures/succeeded.json' with { type: 'json' }

const withPicture = sampleRequest({ references: [sampleReference('firstFrame', 'image')] })

const rivya: ProviderCase = {
  name: 'rivya',
  create: createRivyaProvider,
  speech: rivyaSpeech,
  results: 'link',
  tellsProgress: false,
  tellsModeration: false,
  takes: { 'a prompt': sampleRequest(), 'a mode': sampleRequest({ mode: 'spicy' }), 'a picture': withPicture },
  refuses: {
    'another model': sampleRequest({ model: 'grok-imagine-video-1.5' }),
    'five seconds': sampleRequest({ durationSeconds: 5 }),
    '31 seconds': sampleRequest({ durationSeconds: 31 }),
    '1080p': sampleRequest({ resolution: '1080p' }),
    '4:3': sampleRequest({ aspectRatio: '4:3' }),
    'the ratio of the picture': { ...withPicture, aspectRatio: 'source' },
    'no prompt': { ...withPicture, prompt: '' },
    'spicy with a picture': { ...withPicture, mode: 'spicy' },
    'two pictures': { ...withPicture, references: [...withPicture.references, ...withPicture.references] },
    'a last picture': sampleRequest({ references: [sampleReference('lastFrame', 'image')] }),
    'a picture of 11 MiB': sampleRequest({
      references: [sampleReference('firstFrame', 'image', { sizeBytes: 11 * 1024 * 1024 })],
    }),
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
  },
  filesIn: (received) =>
    received
      .filter(({ path }) => path === '/api/v1/files')
      .flatMap((request) => formParts(request)?.filter(({ name }) => name === 'file') ?? [])
      .map(({ bytes }) => bytes),
}

describeProvider(rivya)

test('asks in the words of the vendor, with the link that its Files API gave', async () => {
  await using bench = await ProviderBench.open(rivya)
  await bench.accepted('att_one', withPicture)
  const create = bench.upstream.received.find(({ target }) => target === 'create')
  assert.deepEqual(JSON.parse(String(create?.body)), {
    model: 'grok-imagine-video',
    prompt: withPicture.prompt,
    params: {
      mode: 'normal',
      duration: 6,
      resolution: '480p',
      aspect_ratio: '1:1',
      referenceMediaItems: [{ url: 'https://files.example.com/upload-1.png', kind: 'image', mimeType: 'image/png' }],
    },
    client_request_id: 'att_one',
  })
})

test('repeats a create that was in doubt with the same body, and brings its picture once', async () => {
  await using bench = await ProviderBench.open(rivya)
  bench.upstream.script('create', { kind: 'reset after reading' })
  assert.equal((await bench.start('att_one', withPicture)).kind, 'ambiguous')
  // By another process, as far as the adapter can tell.
  await using other = createRivyaProvider(bench.settings())
  assert.equal((await bench.start('att_one', withPicture, other)).kind, 'accepted')
  assert.equal(bench.upstream.count('upload'), 1)
  assert.equal(bench.upstream.jobs.length, 1)
})

test('stays in doubt for good where the key was used for another body', async () => {
  await using bench = await ProviderBench.open(rivya)
  await bench.accepted('att_one')
  const outcome = await bench.start('att_one', withPicture)
  assert.ok(outcome.kind === 'ambiguous' && outcome.isFinal === true)
  assert.equal(bench.upstream.jobs.length, 1)
})

test('has asked for no job where the picture could not be brought', async () => {
  for (const [fault, expected] of [
    [{ kind: 'reset after reading' }, 'undelivered'],
    [{ kind: 'status', status: 503 }, 'undelivered'],
    [{ kind: 'html' }, 'undelivered'],
    [{ kind: 'refuse', why: 'badRequest' }, 'rejected'],
    [{ kind: 'refuse', why: 'busy' }, 'rejected'],
  ] as const) {
    await using bench = await ProviderBench.open(rivya)
    bench.upstream.script('upload', fault)
    assert.equal((await bench.start('att_one', withPicture)).kind, expected)
    assert.equal(bench.upstream.count('create'), 0)
  }
})

async function polled(json: Json): Promise<PollOutcome> {
  await using bench = await ProviderBench.open(rivya)
  const operation = await bench.accepted()
  bench.upstream.script('poll', { kind: 'say', json })
  return await bench.poll(operation)
}

test('reads the documented answers', async () => {
  assert.deepEqual(await polled(created), { kind: 'pending' })
  const success = await polled(succeeded)
  assert.equal(success.kind === 'succeeded' && success.assets.length, 1)
  const failure = await polled(failed)
  assert.equal(failure.kind === 'failed' && failure.failure.reason, 'generation_failed')
})
