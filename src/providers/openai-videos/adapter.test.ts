import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { openSample, sampleReference, sampleRequest, startContext } from '../../../test/support/sample-request.ts'
import { standInSettings } from '../../../test/support/stand-in-settings.ts'
import { formParts } from '../../../test/support/upstream/form-parts.ts'
import { openaiVideosSpeech } from '../../../test/support/upstream/openai-videos-speech.ts'
import { ScriptedUpstream } from '../../../test/support/upstream/scripted-upstream.ts'
import type { JsonObject } from '../../canonical/json.ts'
import { createOpenaiVideosProvider } from './adapter.ts'

const picture = sampleReference('firstFrame', 'image')

describeProvider({
  name: 'openai-videos',
  create: createOpenaiVideosProvider,
  speech: openaiVideosSpeech(),
  takes: {
    'words alone': sampleRequest(),
    'a picture to start from': sampleRequest({ references: [picture], aspectRatio: 'source' }),
    'half a minute of 1080p': sampleRequest({ durationSeconds: 30, resolution: '1080p', aspectRatio: '2:3' }),
  },
  refuses: {
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
    'a picture to end with': sampleRequest({ references: [sampleReference('lastFrame', 'image')] }),
    'two pictures to start from': sampleRequest({ references: [picture, sampleReference('firstFrame', 'image')] }),
    'a picture larger than any': sampleRequest({ references: [{ ...picture, sizeBytes: 21 * 1024 * 1024 }] }),
    'a mode': sampleRequest({ mode: 'fun' }),
    'more than half a minute': sampleRequest({ durationSeconds: 31 }),
  },
  filesIn: (received) =>
    received
      .flatMap((request) => formParts(request) ?? [])
      .flatMap(({ name, bytes }) => (name === 'input_reference' ? [bytes] : [])),
  results: 'content',
  tellsProgress: true,
  tellsModeration: true,
})

test('a create has the fields that the API documents, all of them texts', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  await using provider = createOpenaiVideosProvider({ ...standInSettings(upstream), model: 'wan-2.2' })
  const request = sampleRequest({ aspectRatio: '16:9', resolution: '720p' })
  const context = startContext()
  assert.equal((await provider.start(request, context)).kind, 'accepted')
  const [create] = upstream.received
  assert.deepEqual(JSON.parse(String(create?.body)), {
    model: 'wan-2.2',
    prompt: request.prompt,
    seconds: '6',
    size: '1280x720',
  })
  assert.equal(create?.headers['idempotency-key'], context.token)
})

test('with a picture it is a form of the same fields', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  await using provider = createOpenaiVideosProvider(standInSettings(upstream))
  await provider.start(sampleRequest({ references: [picture], aspectRatio: 'source' }), startContext())
  const [create] = upstream.received
  assert.ok(create !== undefined)
  const parts = formParts(create) ?? []
  assert.deepEqual(
    parts.map(({ name, fileName, bytes }) => [name, fileName ?? bytes.toString()]),
    [
      ['model', 'grok-imagine-video'],
      ['prompt', sampleRequest().prompt],
      ['seconds', '6'],
      ['size', '640x480'],
      ['input_reference', 'picture.png'],
    ],
  )
})

/** What the xAI dialect asks for by default: 854 × 480, which is on no grid. */
const ODD = sampleRequest({ aspectRatio: '16:9', resolution: '480p' })

function sizesIn(upstream: ScriptedUpstream): unknown[] {
  return upstream.received.map(({ body }) => JSON.parse(String(body)).size)
}

test('a frame is asked for in the steps that the engine takes, by the operator’s word or by the usual ones', async () => {
  for (const [sizeStep, size] of [
    [undefined, '864x480'],
    [32, '864x480'],
    [64, '896x512'],
    [2, '854x480'],
    [1, '854x480'],
  ] as const) {
    await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
    await using provider = createOpenaiVideosProvider({ ...standInSettings(upstream), sizeStep })
    assert.equal((await provider.start(ODD, startContext())).kind, 'accepted')
    assert.deepEqual(sizesIn(upstream), [size])
    assert.equal(provider.sizeStep, sizeStep ?? 16)
  }
})

/** As a server says that has a list of sizes. */
const NOT_LISTED = {
  kind: 'status',
  status: 400,
  body: '{"error":{"message":"size cannot be \\"864x480\\"","code":null}}',
} as const

test('a server that has a list of sizes is asked for the frame itself, once it has refused the other', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech({ honoursIdempotencyKey: true }))
  const settings = { ...standInSettings(upstream), honoursIdempotencyKey: true }
  await using provider = createOpenaiVideosProvider(settings)
  upstream.script('create', NOT_LISTED)
  const kept: JsonObject[] = []
  const context = startContext({ keep: async (what) => void kept.push(what) })
  assert.equal((await provider.start(ODD, context)).kind, 'accepted')
  assert.equal((await provider.start(ODD, startContext())).kind, 'accepted')
  assert.deepEqual(sizesIn(upstream), ['864x480', '854x480', '854x480'])
  assert.deepEqual(kept, [{ size: '854x480' }])
  // A process that has learnt nothing yet repeats what was kept, and so finds the very job.
  await using restarted = createOpenaiVideosProvider(settings)
  const again = await restarted.start(ODD, { ...context, kept: kept[0] })
  assert.ok(again.kind === 'accepted')
  assert.equal(again.operation['id'], upstream.jobs[0]?.id)
  assert.equal(upstream.jobs.length, 2)
})

test('a frame that is refused in both sizes is told as a refusal, and an operator’s step is not doubted', async () => {
  for (const [sizeStep, asked] of [
    [undefined, 2],
    [16, 1],
  ] as const) {
    await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
    await using provider = createOpenaiVideosProvider({ ...standInSettings(upstream), sizeStep })
    upstream.scriptForEver('create', { faults: [NOT_LISTED, NOT_LISTED] })
    const outcome = await provider.start(ODD, startContext())
    assert.equal(outcome.kind === 'rejected' && outcome.because, 'request')
    assert.equal(upstream.count('create'), asked)
  }
})

test('a picture to start from has the size that the frame is asked for in', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  await using provider = createOpenaiVideosProvider(standInSettings(upstream))
  await provider.start({ ...ODD, references: [picture] }, startContext())
  const [create] = upstream.received
  assert.ok(create !== undefined)
  const parts = formParts(create) ?? []
  const { width, height } = await sharp(parts.find(({ name }) => name === 'input_reference')?.bytes).metadata()
  assert.deepEqual([width, height], [864, 480])
})

test('a server that reads forms only is given forms, once it has said so', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech({ readsFormsOnly: true }))
  await using provider = createOpenaiVideosProvider(standInSettings(upstream))
  assert.equal((await provider.start(sampleRequest(), startContext())).kind, 'accepted')
  assert.equal((await provider.start(sampleRequest(), startContext())).kind, 'accepted')
  assert.equal(upstream.jobs.length, 2)
  const types = upstream.received.map(({ headers }) => headers['content-type']?.split(';')[0])
  assert.deepEqual(types, ['application/json', 'multipart/form-data', 'multipart/form-data'])
})

test('any other refusal of JSON is not tried again as a form', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  await using provider = createOpenaiVideosProvider(standInSettings(upstream))
  const detail = [{ type: 'missing', loc: ['body', 'seed'], msg: 'Field required' }]
  upstream.script('create', { kind: 'status', status: 422, body: JSON.stringify({ detail }) })
  const outcome = await provider.start(sampleRequest(), startContext())
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.because, 'request')
  assert.equal(upstream.count('create'), 1)
})

test('a picture that cannot be read leaves no doubt: nothing was sent', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  await using provider = createOpenaiVideosProvider(standInSettings(upstream))
  const shorter = { ...picture, sizeBytes: picture.sizeBytes - 1 }
  for (const openReference of [
    async () => Promise.reject(new Error('the store is away')),
    // What is not the file that the record speaks of.
    () => openSample(picture),
  ]) {
    const context = startContext({ openReference })
    const outcome = await provider.start(sampleRequest({ references: [shorter], aspectRatio: 'source' }), context)
    assert.equal(outcome.kind, 'undelivered')
  }
  assert.equal(upstream.received.length, 0)
})

test('behind a server that honours keys, the same token makes one job', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech({ honoursIdempotencyKey: true }))
  await using provider = createOpenaiVideosProvider({ ...standInSettings(upstream), honoursIdempotencyKey: true })
  assert.ok(provider.startIsIdempotent)
  const context = startContext()
  upstream.script('create', { kind: 'reset after reading' })
  assert.equal((await provider.start(sampleRequest(), context)).kind, 'ambiguous')
  const again = await provider.start(sampleRequest(), context)
  assert.ok(again.kind === 'accepted')
  assert.equal(again.operation['id'], upstream.jobs[0]?.id)
  assert.equal(upstream.jobs.length, 1)
})
