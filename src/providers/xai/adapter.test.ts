import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { bytesOfDataUri } from '../../../test/support/provider-kit/data-uri.ts'
import { ProviderBench } from '../../../test/support/provider-kit/provider-bench.ts'
import type { ProviderCase } from '../../../test/support/provider-kit/provider-case.ts'
import { sampleReference, sampleRequest } from '../../../test/support/sample-request.ts'
import { xaiSpeech } from '../../../test/support/upstream/xai-speech.ts'
import { isJsonObject, type Json } from '../../canonical/json.ts'
import { fetchPolicy } from '../../media/fetch-policy.ts'
import { canTake } from '../../tasks/router.ts'
import type { PollOutcome } from '../provider.ts'
import { createXaiProvider } from './adapter.ts'
import done from './fixtures/done.json' with { type: 'json' }
import expired from './fixtures/expired.json' with { type: 'json' }
import failed from './fixtures/failed.json' with { type: 'json' }
import moderated from './fixtures/moderated.json' with { type: 'json' }
import pending from './fixtures/pending.json' with { type: 'json' }
import refusedCredits from './fixtures/refused-credits.json' with { type: 'json' }
import refusedKey from './fixtures/refused-key.json' with { type: 'json' }
import refusedPolicy from './fixtures/refused-policy.json' with { type: 'json' }
import withheld from './fixtures/withheld.json' with { type: 'json' }

const MODEL_1_5 = 'grok-imagine-video-1.5'

function pictures(count: number) {
  return Array.from({ length: count }, () => sampleReference('reference', 'image'))
}

const source = (durationSeconds: number) => sampleReference('source', 'video', { durationSeconds })
const edit = { operation: 'edit', aspectRatio: 'source', durationSeconds: 6 } as const
const extend = { operation: 'extend', aspectRatio: 'source', durationSeconds: 6 } as const

const xai: ProviderCase = {
  name: 'xai',
  create: createXaiProvider,
  speech: xaiSpeech,
  results: 'link',
  tellsProgress: true,
  tellsModeration: true,
  takes: {
    'a prompt': sampleRequest(),
    'a picture to start with': sampleRequest({
      prompt: '',
      aspectRatio: 'source',
      references: [sampleReference('firstFrame', 'image')],
    }),
    'first and last picture': sampleRequest({
      model: MODEL_1_5,
      resolution: '1080p',
      references: [sampleReference('firstFrame', 'image'), sampleReference('lastFrame', 'image')],
    }),
    'pictures to go by': sampleRequest({ references: pictures(7), durationSeconds: 10 }),
    'an edit': sampleRequest({ ...edit, references: [source(6)] }),
    'an extension': sampleRequest({ ...extend, references: [source(6)] }),
  },
  refuses: {
    'a model that it has not': sampleRequest({ model: 'other' }),
    '1080p of the first version': sampleRequest({ resolution: '1080p' }),
    '16 seconds': sampleRequest({ durationSeconds: 16 }),
    'half a second more': sampleRequest({ durationSeconds: 6.5 }),
    'a mode': sampleRequest({ mode: 'fun' }),
    'too long a prompt': sampleRequest({ prompt: 'x'.repeat(4_097) }),
    'a last picture of the first version': sampleRequest({ references: [sampleReference('lastFrame', 'image')] }),
    'pictures to go by and one to start with': sampleRequest({
      references: [...pictures(1), sampleReference('firstFrame', 'image')],
    }),
    'eight pictures to go by': sampleRequest({ references: pictures(8) }),
    'pictures to go by for 11 seconds': sampleRequest({ references: pictures(1), durationSeconds: 11 }),
    'pictures to go by at 1080p': sampleRequest({ model: MODEL_1_5, references: pictures(1), resolution: '1080p' }),
    'a picture of 21 MiB': sampleRequest({
      references: [sampleReference('firstFrame', 'image', { sizeBytes: 21 * 1024 * 1024 })],
    }),
    'three pictures of 20 MiB': sampleRequest({
      references: pictures(3).map((picture) => ({ ...picture, sizeBytes: 20 * 1024 * 1024 })),
    }),
    'a picture that is an animation': sampleRequest({
      references: [sampleReference('firstFrame', 'image', { mimeType: 'image/gif' })],
    }),
    'an edit of 9 seconds': sampleRequest({ ...edit, durationSeconds: 9, references: [source(9)] }),
    'an edit of a WebM': sampleRequest({
      ...edit,
      references: [sampleReference('source', 'video', { mimeType: 'video/webm' })],
    }),
    'an edit by version 1.5': sampleRequest({ ...edit, model: MODEL_1_5, references: [source(6)] }),
    'an extension by 11 seconds': sampleRequest({ ...extend, durationSeconds: 11, references: [source(6)] }),
    'an extension of one second': sampleRequest({ ...extend, references: [source(1)] }),
  },
  filesIn: (received) => {
    const body: Json = JSON.parse(String(received.find(({ path }) => path.startsWith('/videos/'))?.body))
    assert.ok(isJsonObject(body))
    const { image, last_frame, reference_images, video } = body
    return [image, last_frame, reference_images, video]
      .flat()
      .filter((file) => file !== undefined)
      .map((file) => bytesOfDataUri(isJsonObject(file) ? file['url'] : undefined))
  },
}

describeProvider(xai)

test('takes a source video that is larger than any picture, up to 50 MiB', async () => {
  const mebibytes = (size: number) =>
    sampleRequest({
      ...edit,
      references: [sampleReference('source', 'video', { durationSeconds: 6, sizeBytes: size * 1024 * 1024 })],
    })
  await using bench = await ProviderBench.open(xai)
  assert.ok(canTake(bench.provider, mebibytes(50)))
  assert.ok(!canTake(bench.provider, mebibytes(51)))
  await bench.accepted('att_large', mebibytes(25))
  const body: Json = JSON.parse(String(bench.upstream.received[0]?.body))
  const video = isJsonObject(body) && isJsonObject(body['video']) ? body['video']['url'] : undefined
  assert.equal(bytesOfDataUri(video).length, 25 * 1024 * 1024)
})

async function sentBody(request = sampleRequest(), settings = {}): Promise<{ path: string | undefined; body: Json }> {
  await using bench = await ProviderBench.open(xai, settings)
  await bench.accepted('att_one', request)
  const [received] = bench.upstream.received
  return { path: received?.path, body: JSON.parse(String(received?.body)) }
}

test('a generation is asked for in the words of the vendor', async () => {
  const { path, body } = await sentBody()
  assert.equal(path, '/videos/generations')
  assert.deepEqual(body, {
    model: 'grok-imagine-video',
    prompt: sampleRequest().prompt,
    duration: 6,
    resolution: '480p',
    aspect_ratio: '1:1',
  })
})

test('edits and extensions go their own ways, without what a source decides', async () => {
  for (const [request, path, keys] of [
    [sampleRequest({ ...edit, references: [source(6)] }), '/videos/edits', ['model', 'prompt', 'video']],
    [
      sampleRequest({ ...extend, references: [source(6)] }),
      '/videos/extensions',
      ['model', 'prompt', 'duration', 'video'],
    ],
  ] as const) {
    const sent = await sentBody(request)
    assert.equal(sent.path, path)
    assert.deepEqual(Object.keys(isJsonObject(sent.body) ? sent.body : {}), keys)
  }
})

test('the model is the configured one, and so are its limits', async () => {
  const { body } = await sentBody(sampleRequest({ model: 'mine' }), { model: MODEL_1_5 })
  assert.ok(isJsonObject(body))
  assert.equal(body['model'], MODEL_1_5)
})

test('costs what the vendor lists, or what the operator says', async () => {
  await using bench = await ProviderBench.open(xai)
  const { costMicroUsd } = bench.provider
  assert.equal(costMicroUsd?.(sampleRequest()), 300_000)
  const withPictures = { references: pictures(2), resolution: '720p' } as const
  assert.equal(costMicroUsd?.(sampleRequest(withPictures)), 424_000)
  assert.equal(costMicroUsd?.(sampleRequest({ ...edit, references: [source(6)] })), 360_000)
  assert.equal(costMicroUsd?.(sampleRequest({ model: MODEL_1_5, resolution: '1080p' })), 1_500_000)
  assert.equal(costMicroUsd?.(sampleRequest({ model: 'other' })), undefined)
  await using told = await ProviderBench.open(xai, { costMicroUsd: 1_000 })
  assert.equal(told.provider.costMicroUsd?.(sampleRequest()), 6_000)
})

async function polled(json: Json): Promise<PollOutcome> {
  await using bench = await ProviderBench.open(xai, { fetchPolicy: fetchPolicy([]) })
  const operation = await bench.accepted()
  bench.upstream.script('poll', { kind: 'say', json })
  return await bench.poll(operation)
}

test('reads the documented answers', async () => {
  assert.deepEqual(await polled(pending), { kind: 'pending', progress: 42 })
  assert.deepEqual(await polled(expired), { kind: 'expired' })
  const success = await polled(done)
  assert.equal(success.kind === 'succeeded' && success.assets.length, 1)
  for (const [json, reason] of [
    [moderated, 'moderated'],
    [failed, 'generation_failed'],
    [{ status: 'failed', error: { code: 'invalid_argument', message: 'bad image' } }, 'unsupported_input'],
    [{ status: 'failed', error: { code: 'invalid_argument', message: 'blocked by content moderation' } }, 'moderated'],
    [{ status: 'failed', error: 'nothing more' }, 'generation_failed'],
  ] as const) {
    const outcome = await polled(json)
    assert.equal(outcome.kind === 'failed' && outcome.failure.reason, reason)
  }
})

test('takes a poll that is refused for a moderated job if the policy refused it, and for no answer otherwise', async () => {
  await using bench = await ProviderBench.open(xai)
  const operation = await bench.accepted()
  const refuse = (json: Json) =>
    bench.upstream.script('poll', { kind: 'status', status: 400, body: JSON.stringify(json) })
  for (const json of [withheld, { code: 'imagine:content-moderated', error: 'no' }]) {
    refuse(json)
    const outcome = await bench.poll(operation)
    assert.ok(outcome.kind === 'failed')
    assert.equal(outcome.failure.reason, 'moderated')
    assert.ok(outcome.cause?.includes(json.error))
  }
  for (const json of [refusedKey, { code: 'invalid-argument', error: 'not yet' }]) {
    refuse(json)
    await bench.pollError(operation)
  }
  assert.equal((await bench.ended(operation)).kind, 'succeeded')
})

test('tells refusals of the same status apart', async () => {
  for (const [status, json, because] of [
    [403, refusedPolicy, 'policy'],
    [403, refusedCredits, 'credentials'],
    [429, refusedCredits, 'credentials'],
    [400, refusedKey, 'credentials'],
  ] as const) {
    await using bench = await ProviderBench.open(xai)
    bench.upstream.script('create', { kind: 'status', status, body: JSON.stringify(json) })
    const outcome = await bench.start()
    assert.equal(outcome.kind === 'rejected' && outcome.because, because, `${status} ${json.error}`)
  }
})
