import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProvider } from '../../../test/support/describe-provider.ts'
import { startReceiver } from '../../../test/support/receiver.ts'
import { sampleReference, sampleRequest, startContext } from '../../../test/support/sample-request.ts'
import { standInSettings } from '../../../test/support/stand-in-settings.ts'
import { comfyuiSpeech, comfyuiSpeechWith } from '../../../test/support/upstream/comfyui-speech.ts'
import { formParts } from '../../../test/support/upstream/form-parts.ts'
import { ScriptedUpstream } from '../../../test/support/upstream/scripted-upstream.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Workflow } from '../upstream/adapter-settings.ts'
import { toJobOperation } from '../upstream/job-operation.ts'
import { createComfyuiProvider } from './adapter.ts'
import graph from './fixtures/workflow.json' with { type: 'json' }
import graphWithPicture from './fixtures/workflow-with-picture.json' with { type: 'json' }
import { promptIdOf } from './prompt-id.ts'

const inputs = { prompt: '6.text', width: '55.width', height: '55.height', frames: '55.length', seed: '3.seed' }
const workflow: Workflow = { graph, inputs, framesPerSecond: 24 }
const withPicture: Workflow = { ...workflow, graph: graphWithPicture, inputs: { ...inputs, image: '56.image' } }
const picture = sampleReference('firstFrame', 'image')
const ofPicture = sampleRequest({ references: [picture], aspectRatio: 'source' })

describeProvider({
  name: 'comfyui',
  create: createComfyuiProvider,
  speech: comfyuiSpeech,
  settings: { workflow },
  takes: { 'words alone': sampleRequest(), 'wide words': sampleRequest({ aspectRatio: '16:9', resolution: '720p' }) },
  refuses: {
    'an edit': sampleRequest({ operation: 'edit', references: [sampleReference('source', 'video')] }),
    'a picture that the graph has no place for': ofPicture,
    'a mode': sampleRequest({ mode: 'fun' }),
    'more than half a minute': sampleRequest({ durationSeconds: 31 }),
  },
  results: 'content',
  emptyObjectTells: true,
  tellsProgress: false,
  tellsModeration: false,
})

describeProvider({
  name: 'comfyui with a picture',
  create: createComfyuiProvider,
  speech: comfyuiSpeech,
  settings: { workflow: withPicture },
  takes: { 'a picture to start from': ofPicture },
  refuses: { 'words alone': sampleRequest() },
  filesIn: (received) =>
    received
      .filter(({ path }) => path === '/upload/image')
      .flatMap((request) => formParts(request) ?? [])
      .flatMap(({ name, bytes }) => (name === 'image' ? [bytes] : [])),
  results: 'content',
  emptyObjectTells: true,
  tellsProgress: false,
  tellsModeration: false,
})

test('the prompt has the id of the attempt, a UUID in the one form that the server takes', async () => {
  await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
  await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow })
  await provider.start(sampleRequest(), startContext({ token: 'att_one' }))
  const [job] = upstream.jobs
  assert.equal(job?.id, promptIdOf('att_one'))
  assert.match(job?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a prompt that is waiting, runs or is done is not posted again', async () => {
  await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
  await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow })
  const outcomes = []
  for (const state of ['queued', 'running', 'succeeded', 'failed'] as const) {
    outcomes.push(await provider.start(sampleRequest(), startContext({ token: 'att_one' })))
    upstream.setJob({ state })
  }
  outcomes.push(await provider.start(sampleRequest(), startContext({ token: 'att_one' })))
  assert.equal(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size, 1)
  assert.equal(upstream.count('create'), 1)
  assert.equal(upstream.jobs.length, 1)
})

test('nothing is posted while it cannot be looked for', async () => {
  await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
  await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow })
  for (const fault of [
    { kind: 'status', status: 500 },
    { kind: 'reset before reading' },
    { kind: 'html' },
    { kind: 'truncated json' },
  ] as const) {
    upstream.script('other', fault)
    assert.equal((await provider.start(sampleRequest(), startContext({ token: 'att_one' }))).kind, 'undelivered')
  }
  upstream.script('other', { kind: 'status', status: 403 })
  const refused = await provider.start(sampleRequest(), startContext({ token: 'att_one' }))
  assert.equal(refused.kind === 'rejected' && refused.because, 'credentials')
  assert.equal(upstream.count('create'), 0)
})

test('a job that goes from the queue to the history between two looks is not taken for gone', async () => {
  const id = promptIdOf('att_one')
  const outputs = { '58': { images: [{ filename: 'a.mp4' }] } }
  const answers = [{}, { queue_running: [], queue_pending: [] }, { [id]: { outputs, status: null } }]
  await using server = await startReceiver((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers.shift()))
    return undefined
  })
  await using provider = createComfyuiProvider({ ...standInSettings({ baseUrl: server.url, apiKeys: [] }), workflow })
  const outcome = await provider.poll(toJobOperation({ id, credential: undefined }), startContext())
  assert.equal(outcome.kind, 'succeeded')
})

test('only a prompt that is running is interrupted: it may be somebody else’s that is', async () => {
  const id = promptIdOf('att_one')
  for (const [running, interrupts] of [
    [id, 1],
    [promptIdOf('att_two'), 0],
  ] as const) {
    await using server = await startReceiver(({ method }, response) => {
      const queue = { queue_running: [[1, running, {}]], queue_pending: [] }
      response.writeHead(200).end(method === 'GET' ? JSON.stringify(queue) : '')
      return undefined
    })
    await using provider = createComfyuiProvider({ ...standInSettings({ baseUrl: server.url, apiKeys: [] }), workflow })
    await provider.cancel?.(toJobOperation({ id, credential: undefined }), startContext())
    const [told, , interrupt] = server.received
    assert.deepEqual([told?.path, JSON.parse(String(told?.body))], ['/queue', { delete: [id] }])
    assert.equal(server.received.filter(({ path }) => path === '/interrupt').length, interrupts)
    if (interrupts === 1) assert.deepEqual(JSON.parse(String(interrupt?.body)), { prompt_id: id })
  }
})

/** As the server tells of a value that a node does not take. */
function nodeError(node: string, inputName: string, outputs: readonly string[]): JsonObject {
  const error = {
    type: 'value_not_in_list',
    message: 'Value not in list',
    details: `${inputName}: 'a'`,
    extra_info: { input_name: inputName },
  }
  return { [node]: { errors: [error], dependent_outputs: [...outputs], class_type: 'Anything' } }
}

const withPreview: Workflow = {
  ...workflow,
  graph: {
    ...graph,
    '90': { class_type: 'PreviewAny', inputs: { source: ['6', 0] } },
    '91': { class_type: 'SaveImage', inputs: { images: ['8', 0] } },
  },
}

test('a prompt that runs without its video is refused, and stopped', async () => {
  for (const [nodeErrors, because] of [
    [nodeError('37', 'unet_name', ['58', '91']), 'configuration'],
    [nodeError('58', 'codec', ['58']), 'configuration'],
    [nodeError('55', 'width', ['58']), 'request'],
    [{ ...nodeError('55', 'width', ['58']), ...nodeError('37', 'unet_name', ['58']) }, 'configuration'],
  ] as const) {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeechWith({ nodeErrors }))
    await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow: withPreview })
    const outcome = await provider.start(sampleRequest(), startContext())
    assert.equal(outcome.kind === 'rejected' ? outcome.because : outcome.kind, because, JSON.stringify(nodeErrors))
    assert.match(
      (outcome.kind === 'rejected' && outcome.cause) || '',
      /without its video: node \d+ \(Anything\): Value not in list/,
    )
    assert.equal(upstream.jobs[0]?.state, 'canceled')
  }
})

test('a prompt that has lost something else than its video runs', async () => {
  for (const nodeErrors of [nodeError('90', 'source', ['90']), nodeError('91', 'images', ['90', '91']), {}]) {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeechWith({ nodeErrors }))
    await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow: withPreview })
    assert.equal((await provider.start(sampleRequest(), startContext())).kind, 'accepted')
  }
})

test('a refusal of the graph is the operator’s affair, and one of a value that a request fills in the request’s', async () => {
  const refusing = (type: string, nodeErrors: JsonObject = {}) => ({
    error: { type, message: 'no' },
    node_errors: nodeErrors,
  })
  for (const [json, because] of [
    [refusing('invalid_prompt'), 'configuration'],
    [refusing('prompt_no_outputs'), 'configuration'],
    [refusing('missing_node_type'), 'configuration'],
    [refusing('prompt_outputs_failed_validation', nodeError('37', 'unet_name', ['58'])), 'configuration'],
    [refusing('prompt_outputs_failed_validation', nodeError('55', 'length', ['58'])), 'request'],
    [refusing('anything_else'), 'request'],
  ] as const) {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
    await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow })
    upstream.script('create', { kind: 'status', status: 400, body: JSON.stringify(json) })
    const outcome = await provider.start(sampleRequest(), startContext())
    assert.equal(outcome.kind === 'rejected' ? outcome.because : outcome.kind, because, JSON.stringify(json))
    const reason = because === 'configuration' ? 'provider_unavailable' : 'unsupported_input'
    assert.equal(outcome.kind === 'rejected' && outcome.failure.reason, reason)
  }
})

test('a finished prompt without a video is over at once', async () => {
  await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
  await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow })
  const started = await provider.start(sampleRequest(), startContext())
  assert.ok(started.kind === 'accepted')
  upstream.setJob({ state: 'empty' })
  const outcome = await provider.poll(started.operation, startContext())
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'the workflow saved no video')
})

test('a check names the nodes of the workflow that the server lacks', async () => {
  await using lacking = await ScriptedUpstream.start(comfyuiSpeechWith({ lacks: ['SaveVideo', 'UNETLoader'] }))
  await using provider = createComfyuiProvider({ ...standInSettings(lacking), workflow })
  const check = async (each: typeof provider) => each.check?.({ signal: AbortSignal.timeout(10_000) })
  await assert.rejects(check(provider), /lacks nodes of the workflow: UNETLoader \(node 37\), SaveVideo \(node 58\)/)
  await using whole = await ScriptedUpstream.start(comfyuiSpeech)
  const { 58: _, ...endless } = graph
  await using without = createComfyuiProvider({ ...standInSettings(whole), workflow: { ...workflow, graph: endless } })
  await assert.rejects(check(without), /saves anything/)
  assert.equal(lacking.jobs.length + whole.jobs.length, 0)
})

test('the same picture is one file there, whoever brings it', async () => {
  await using upstream = await ScriptedUpstream.start(comfyuiSpeech)
  await using provider = createComfyuiProvider({ ...standInSettings(upstream), workflow: withPicture })
  await provider.start(ofPicture, startContext({ token: 'att_one' }))
  await provider.start(ofPicture, startContext({ token: 'att_two' }))
  const names = upstream.received
    .filter(({ path }) => path === '/upload/image')
    .flatMap((request) => formParts(request) ?? [])
    .flatMap(({ fileName }) => fileName ?? [])
  const [name] = names
  assert.match(name ?? '', /^reelay-[0-9a-f]{64}\.png$/)
  assert.deepEqual(names, [name, name])
  const [create] = upstream.received.filter(({ target }) => target === 'create')
  assert.ok(String(create?.body).includes(`"image":"${name}"`))
})
