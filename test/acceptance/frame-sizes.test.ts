/** An engine that makes frames in steps of pixels: customers get the size that they asked for. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import type { JsonObject } from '../../src/canonical/json.ts'
import { probeVideo } from '../../src/media/probe.ts'
import { startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import { request, runCli, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { openaiVideosSpeech } from '../support/upstream/openai-videos-speech.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'

const done = z.object({ status: z.string(), video: z.object({ url: z.string() }).optional() })

function ask(server: TestServer, method: 'GET' | 'POST', path: string, body?: JsonObject) {
  return request(`${server.url}${path}`, method, { key: server.key, ...(body === undefined ? {} : { body }) })
}

/** As an engine refuses that takes nothing but multiples of 16. */
const NO_MULTIPLE = JSON.stringify({ error: { message: 'width and height must be divisible by 16', code: null } })

test('854 × 480, the default of the xAI dialect, is made by an engine of multiples of 16, and comes as 854 × 480', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-frames-'))
  try {
    const path = await writeTestVideo({
      path: join(folder, 'made.mp4'),
      durationSeconds: 8,
      width: 864,
      height: 480,
      sound: 'silence',
    })
    await using upstream = await ScriptedUpstream.start(openaiVideosSpeech(), { video: await readFile(path) })
    const gpu = { kind: 'openai-videos', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2 }
    const config = { providers: { gpu }, models: { '*': { providers: ['gpu'] } } }
    await using gateway = await startGateway(config, { env: { KEY: FIRST_KEY } })
    const { server } = gateway
    const created = await ask(server, 'POST', '/v1/videos/generations', { prompt: 'A quiet sea' })
    const { request_id: id } = z.object({ request_id: z.string() }).parse(created.body)
    const video = await waitFor('the video', async () => {
      const answer = await ask(server, 'GET', `/v1/videos/${id}`)
      const { status, video: made } = done.parse(answer.body)
      assert.notEqual(status, 'failed', answer.text)
      return status === 'done' ? made : undefined
    })
    assert.match(String(upstream.received.find(({ target }) => target === 'create')?.body), /"size":"864x480"/)
    const bytes = Buffer.from(await (await fetch(video.url)).arrayBuffer())
    const target = join(folder, 'got.mp4')
    await writeFile(target, bytes)
    const { width, height, audioCodec, frameCount } = await probeVideo(target)
    assert.deepEqual([width, height, audioCodec, frameCount], [854, 480, 'aac', 80])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('what an engine takes in no size goes to the next provider, and the operator reads why', async () => {
  await using upstream = await ScriptedUpstream.start(openaiVideosSpeech())
  const refusal = { kind: 'status', status: 400, body: NO_MULTIPLE } as const
  upstream.script('create', refusal, refusal)
  const gpu = { kind: 'openai-videos', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2 }
  const config = { providers: { gpu }, models: { '*': { providers: ['gpu', 'animatic'] } } }
  await using gateway = await startGateway(config, { env: { KEY: FIRST_KEY } })
  const { server } = gateway
  const body = { prompt: 'A quiet sea', duration: 1 }
  const created = await ask(server, 'POST', '/v1/videos/generations', body)
  const { request_id: id } = z.object({ request_id: z.string() }).parse(created.body)
  await waitFor('the video', async () => {
    const { status } = done.parse((await ask(server, 'GET', `/v1/videos/${id}`)).body)
    assert.notEqual(status, 'failed')
    return status === 'done' ? true : undefined
  })
  const { stdout } = await runCli(['tasks', 'show', `task_${id.replaceAll('-', '')}`, '--json'], server.env)
  assert.match(stdout, /divisible by 16/)
})
