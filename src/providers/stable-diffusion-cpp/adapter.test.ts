import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { openSample, sampleReference, sampleRequest, startContext } from '../../../test/support/sample-request.ts'
import { standInSettings } from '../../../test/support/stand-in-settings.ts'
import { ScriptedUpstream } from '../../../test/support/upstream/scripted-upstream.ts'
import { stableDiffusionCppSpeech } from '../../../test/support/upstream/stable-diffusion-cpp-speech.ts'
import { isJsonObject } from '../../canonical/json.ts'
import { createStableDiffusionCppProvider } from './adapter.ts'

const first = sampleReference('firstFrame', 'image')
const last = sampleReference('lastFrame', 'image')

function pictureIn(body: unknown, field: string): Buffer[] {
  const base64 = isJsonObject(body) ? body[field] : undefined
  return typeof base64 === 'string' ? [Buffer.from(base64, 'base64')] : []
}

describeProvider({
  name: 'stable-diffusion-cpp',
  create: createStableDiffusionCppProvider,
  speech: stableDiffusionCppSpeech,
  takes: {
    'words alone': sampleRequest(),
    'a picture to start from': sampleRequest({ references: [first], aspectRatio: 'source' }),
    'pictures to start from and to end with': sampleRequest({ references: [first, last], aspectRatio: 'source' }),
  },
  refuses: {
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
    'a picture to go by': sampleRequest({ references: [sampleReference('reference', 'image')] }),
    'two pictures to start from': sampleRequest({ references: [first, sampleReference('firstFrame', 'image')] }),
    'a video to start from': sampleRequest({ references: [sampleReference('firstFrame', 'video')] }),
    'a mode': sampleRequest({ mode: 'spicy' }),
    'more than half a minute': sampleRequest({ durationSeconds: 31 }),
  },
  filesIn: (received) => {
    const creates = received.filter(({ path }) => path.endsWith('/vid_gen'))
    const body: unknown = JSON.parse(String(creates.at(-1)?.body))
    return [...pictureIn(body, 'init_image'), ...pictureIn(body, 'end_image')]
  },
  results: 'inline',
  tellsProgress: false,
  tellsModeration: false,
})

test('a server whose model makes no videos does not pass the check', async () => {
  const answer = { status: 200, json: { supported_modes: ['img_gen'] } }
  await using upstream = await ScriptedUpstream.start({ ...stableDiffusionCppSpeech, answer: () => answer })
  await using provider = createStableDiffusionCppProvider(standInSettings(upstream))
  await assert.rejects(async () => provider.check?.({ signal: AbortSignal.timeout(10_000) }), /makes no videos/)
})

test('a job whose time there is over is gone', async () => {
  await using upstream = await ScriptedUpstream.start(stableDiffusionCppSpeech)
  await using provider = createStableDiffusionCppProvider(standInSettings(upstream))
  const signal = AbortSignal.timeout(10_000)
  const outcome = await provider.start(sampleRequest(), startContext({ signal }))
  assert.ok(outcome.kind === 'accepted')
  upstream.script('poll', { kind: 'status', status: 410, body: '{"error":"job expired"}' })
  assert.deepEqual(await provider.poll(outcome.operation, { openReference: openSample, signal }), { kind: 'gone' })
})

test('a success without a video gives none, so that it is asked for again', async () => {
  await using upstream = await ScriptedUpstream.start(stableDiffusionCppSpeech)
  await using provider = createStableDiffusionCppProvider(standInSettings(upstream))
  const signal = AbortSignal.timeout(10_000)
  const outcome = await provider.start(sampleRequest(), startContext({ signal }))
  assert.ok(outcome.kind === 'accepted')
  upstream.setJob({ state: 'empty' })
  const context = { openReference: openSample, signal }
  assert.deepEqual(await provider.poll(outcome.operation, context), { kind: 'succeeded', assets: [] })
})
