/** A ComfyUI whose workflow, or whose server, is not what the operator believes: nothing waits for it, and the next provider is asked. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/canonical/json.ts'
import graph from '../../src/providers/comfyui/fixtures/workflow.json' with { type: 'json' }
import { startGateway } from '../support/gateway.ts'
import { runCli } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { comfyuiSpeech, comfyuiSpeechWith } from '../support/upstream/comfyui-speech.ts'
import { ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { create, credits, waitForStatus } from './rivya.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }

const INPUTS = { prompt: '6.text', width: '55.width', height: '55.height', frames: '55.length', seed: '3.seed' }

const MISSING_MODEL: JsonObject = {
  '37': {
    errors: [
      {
        type: 'value_not_in_list',
        message: 'Value not in list',
        details: 'unet_name',
        extra_info: { input_name: 'unet_name' },
      },
    ],
    dependent_outputs: ['58'],
    class_type: 'UNETLoader',
  },
}

describe('a ComfyUI', () => {
  let folder: string
  let file: string
  let video: Buffer
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-comfyui-'))
    file = join(folder, 'workflow.json')
    await writeFile(
      file,
      JSON.stringify({ ...graph, '90': { class_type: 'PreviewAny', inputs: { source: ['6', 0] } } }),
    )
    video = await readFile(
      await writeTestVideo({ path: join(folder, 'video.mp4'), durationSeconds: 6, width: 480, height: 720 }),
    )
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const configOf = (upstream: ScriptedUpstream, route: readonly string[]) => ({
    providers: {
      gpu: { kind: 'comfyui', baseUrl: upstream.baseUrl, pollSeconds: 0.2, workflow: { file, inputs: INPUTS } },
    },
    models: { '*': { providers: route } },
  })

  test('that drops the branch with the video is passed over, and its operator reads why', async () => {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeechWith({ nodeErrors: MISSING_MODEL }))
    await using gateway = await startGateway(configOf(upstream, ['gpu', 'animatic']))
    const { server } = gateway
    const { id } = await create(server, BODY)
    assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
    const { stdout } = await runCli(['tasks', 'show', id, '--json'], server.env)
    assert.match(stdout, /node 37 \(UNETLoader\): Value not in list/)
    assert.equal(upstream.jobs[0]?.state, 'canceled')
  })

  test('alone in its route is told as unavailable and not as wrong input, and the credits return', async () => {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeechWith({ nodeErrors: MISSING_MODEL }))
    await using gateway = await startGateway(configOf(upstream, ['gpu']))
    const { server } = gateway
    const balance = await credits(server)
    const { id } = await create(server, BODY)
    const { error } = await waitForStatus(server, id, ['succeeded', 'failed'])
    assert.match(error?.message ?? '', /not available/)
    assert.equal(await credits(server), balance)
  })

  test('that saves no video ends the task, and makes room for the next', async () => {
    await using upstream = await ScriptedUpstream.start(comfyuiSpeech, {
      video,
      life: { pendingPolls: 1, ends: 'empty' },
    })
    await using gateway = await startGateway(configOf(upstream, ['gpu']))
    const { server } = gateway
    const balance = await credits(server)
    const empty = await Promise.all([create(server, BODY), create(server, BODY)])
    for (const { id } of empty)
      assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'failed')
    assert.equal(await credits(server), balance)
    upstream.life = { pendingPolls: 1, ends: 'succeeded' }
    const { id } = await create(server, BODY)
    assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
  })
})
