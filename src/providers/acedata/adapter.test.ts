import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { bytesOfDataUri } from '../../../test/support/provider-kit/data-uri.ts'
import { ProviderBench } from '../../../test/support/provider-kit/provider-bench.ts'
import type { ProviderCase } from '../../../test/support/provider-kit/provider-case.ts'
import { sampleReference, sampleRequest } from '../../../test/support/sample-request.ts'
import { acedataSpeech } from '../../../test/support/upstream/acedata-speech.ts'
import { isJsonObject, type Json } from '../../canonical/json.ts'
import type { PollOutcome } from '../provider.ts'
import { createAcedataProvider } from './adapter.ts'
import failed from './fixtures/failed.json' with { type: 'json' }
import refused from './fixtures/refused.json' with { type: 'json' }
import succeeded from './fixtures/succeeded.json' with { type: 'json' }

const PICTURE_MODEL = 'grok-imagine-video-1.5-preview'
const picture = () => sampleReference('firstFrame', 'image')
const pictures = (count: number) => Array.from({ length: count }, () => sampleReference('reference', 'image'))

const acedata: ProviderCase = {
  name: 'acedata',
  create: createAcedataProvider,
  speech: acedataSpeech,
  results: 'link',
  tellsProgress: false,
  tellsModeration: true,
  takes: {
    'a prompt': sampleRequest(),
    'a picture': sampleRequest({ prompt: '', aspectRatio: 'source', references: [picture()] }),
    'a picture for the model that wants one': sampleRequest({ model: PICTURE_MODEL, references: [picture()] }),
    'pictures to go by': sampleRequest({ references: pictures(7), durationSeconds: 10 }),
  },
  refuses: {
    'another model': sampleRequest({ model: 'grok-imagine-video-1.5' }),
    'the model that wants a picture without one': sampleRequest({ model: PICTURE_MODEL }),
    '16 seconds': sampleRequest({ durationSeconds: 16 }),
    '1080p': sampleRequest({ resolution: '1080p' }),
    'a mode': sampleRequest({ mode: 'spicy' }),
    'neither prompt nor picture': sampleRequest({ prompt: '' }),
    'a picture to start with and one to go by': sampleRequest({ references: [picture(), ...pictures(1)] }),
    'two pictures to start with': sampleRequest({ references: [picture(), picture()] }),
    'eight pictures to go by': sampleRequest({ references: pictures(8) }),
    'a picture of 21 MiB': sampleRequest({
      references: [sampleReference('firstFrame', 'image', { sizeBytes: 21 * 1024 * 1024 })],
    }),
    'a last picture': sampleRequest({ references: [sampleReference('lastFrame', 'image')] }),
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
  },
  filesIn: (received) => {
    const body: Json = JSON.parse(String(received.find(({ path }) => path === '/grok/videos')?.body))
    assert.ok(isJsonObject(body))
    return [body['image_url'], body['reference_image_urls']]
      .flat()
      .filter((uri) => uri !== undefined)
      .map(bytesOfDataUri)
  },
}

describeProvider(acedata)

test('asks in the words of the vendor', async () => {
  await using bench = await ProviderBench.open(acedata)
  await bench.accepted()
  assert.deepEqual(JSON.parse(String(bench.upstream.received[0]?.body)), {
    model: 'grok-imagine-video',
    prompt: sampleRequest().prompt,
    aspect_ratio: '1:1',
    resolution: '480p',
    duration: 6,
    async: true,
  })
})

test('believes a refusal that came with 200', async () => {
  for (const [json, expected] of [
    [refused, 'request'],
    [{ success: false, error: { code: 'used_up' } }, 'credentials'],
    [{ success: false, error: { code: 'too_many_requests' } }, 'busy'],
    [{ success: false, error: { code: 'api_error' } }, 'ambiguous'],
    [{ success: false, task_id: 'b8976e18' }, 'ambiguous'],
  ] as const) {
    await using bench = await ProviderBench.open(acedata)
    bench.upstream.script('create', { kind: 'say', json: JSON.parse(JSON.stringify(json)) })
    const outcome = await bench.start()
    assert.equal(outcome.kind === 'rejected' ? outcome.because : outcome.kind, expected, JSON.stringify(json))
  }
})

async function polled(json: Json): Promise<PollOutcome> {
  await using bench = await ProviderBench.open(acedata)
  const operation = await bench.accepted()
  bench.upstream.script('poll', { kind: 'say', json })
  return await bench.poll(operation)
}

test('reads the documented answers', async () => {
  const success = await polled(succeeded)
  assert.equal(success.kind === 'succeeded' && success.assets.length, 1)
  const failure = await polled(failed)
  assert.equal(failure.kind === 'failed' && failure.failure.reason, 'generation_failed')
  const refusal = await polled({ id: 'x', response: { success: false, error: { code: 'bad_request' } } })
  assert.equal(refusal.kind === 'failed' && refusal.failure.reason, 'unsupported_input')
})
