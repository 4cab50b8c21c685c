import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { ProviderBench } from '../../../test/support/provider-kit/provider-bench.ts'
import type { ProviderCase } from '../../../test/support/provider-kit/provider-case.ts'
import { sampleReference, sampleRequest } from '../../../test/support/sample-request.ts'
import { grokimagineapiSpeech } from '../../../test/support/upstream/grokimagineapi-speech.ts'
import type { Json } from '../../canonical/json.ts'
import type { PollOutcome } from '../provider.ts'
import { createGrokimagineapiProvider } from './adapter.ts'
import completed from './fixtures/completed.json' with { type: 'json' }
import created from './fixtures/created.json' with { type: 'json' }
import refused from './fixtures/refused.json' with { type: 'json' }

const grokimagineapi: ProviderCase = {
  name: 'grokimagineapi',
  create: createGrokimagineapiProvider,
  speech: grokimagineapiSpeech,
  results: 'link',
  tellsProgress: false,
  tellsModeration: true,
  takes: { 'a prompt': sampleRequest(), 'a mode': sampleRequest({ mode: 'fun', aspectRatio: '9:16' }) },
  refuses: {
    'another model': sampleRequest({ model: 'grok-imagine-video-1.5' }),
    'seven seconds': sampleRequest({ durationSeconds: 7 }),
    '720p': sampleRequest({ resolution: '720p' }),
    '4:3': sampleRequest({ aspectRatio: '4:3' }),
    'no prompt': sampleRequest({ prompt: '' }),
    'a picture': sampleRequest({ references: [sampleReference('firstFrame', 'image')] }),
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
  },
}

describeProvider(grokimagineapi)

test('asks in the words of the vendor', async () => {
  await using bench = await ProviderBench.open(grokimagineapi)
  await bench.accepted()
  const body: Json = JSON.parse(String(bench.upstream.received[0]?.body))
  assert.deepEqual(body, { mode: 'normal', prompt: sampleRequest().prompt, ratio: '1:1' })
})

test('costs what the vendor says, or what the operator says', async () => {
  await using bench = await ProviderBench.open(grokimagineapi)
  assert.equal(bench.provider.costMicroUsd?.(sampleRequest()), 400_000)
  await using told = await ProviderBench.open(grokimagineapi, { costMicroUsd: 10_000 })
  assert.equal(told.provider.costMicroUsd?.(sampleRequest()), 60_000)
})

test('believes the code of a body that came with 200', async () => {
  for (const [json, expected] of [
    [refused, 'request'],
    [{ code: 400, message: 'Inappropriate content, please try another prompt.' }, 'policy'],
    [{ code: 401, message: 'no' }, 'credentials'],
    [{ code: 429, message: 'no' }, 'busy'],
    [{ code: 500, message: 'no' }, 'ambiguous'],
    [{ ...created, code: 500 }, 'ambiguous'],
    [{ code: 200, data: { task_id: '' } }, 'ambiguous'],
  ] as const) {
    await using bench = await ProviderBench.open(grokimagineapi)
    bench.upstream.script('create', { kind: 'say', json: JSON.parse(JSON.stringify(json)) })
    const outcome = await bench.start()
    assert.equal(outcome.kind === 'rejected' ? outcome.because : outcome.kind, expected, JSON.stringify(json))
  }
})

async function polled(json: Json): Promise<PollOutcome> {
  await using bench = await ProviderBench.open(grokimagineapi)
  const operation = await bench.accepted()
  bench.upstream.script('poll', { kind: 'say', json })
  return await bench.poll(operation)
}

function failing(message: string, status = 'failed'): Json {
  return { code: 200, data: { status, error_message: message } }
}

test('reads the documented answers, and the codes of polls', async () => {
  const success = await polled(completed)
  assert.equal(success.kind === 'succeeded' && success.assets.length, 1)
  for (const [json, reason] of [
    [failing('File type not supported'), 'unsupported_input'],
    [failing('Inappropriate content, please try another prompt.'), 'moderated'],
    [failing('grok imagine build failed'), 'generation_failed'],
    [failing('Network error, please try again later.', 'errored'), 'generation_failed'],
    [failing('grok imagine build failed', 'completed'), 'generation_failed'],
  ] as const) {
    const outcome = await polled(json)
    assert.equal(outcome.kind === 'failed' && outcome.failure.reason, reason)
  }
  assert.deepEqual(await polled({ code: 404, message: 'no such task' }), { kind: 'gone' })
  await assert.rejects(polled({ code: 401, message: 'wrong token' }))
})
