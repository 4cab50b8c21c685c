/** Gateways speak a vendor's API in words of their own: every adapter finds the job, its state and its video all the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { startReceiver } from '../../../test/support/receiver.ts'
import { sampleRequest, startContext } from '../../../test/support/sample-request.ts'
import { standInSettings } from '../../../test/support/stand-in-settings.ts'
import type { Json, JsonObject } from '../../canonical/json.ts'
import { createAcedataProvider } from '../acedata/adapter.ts'
import { createGrokimagineapiProvider } from '../grokimagineapi/adapter.ts'
import { createOpenaiVideosProvider } from '../openai-videos/adapter.ts'
import type { PollOutcome, Provider, StartOutcome } from '../provider.ts'
import { createRivyaProvider } from '../rivya/adapter.ts'
import { createXaiProvider } from '../xai/adapter.ts'
import type { AdapterSettings } from './adapter-settings.ts'
import { toJobOperation } from './job-operation.ts'

interface Adapter {
  readonly create: (settings: AdapterSettings) => Provider & AsyncDisposable
  /** Behind the host of the base URL. */
  readonly basePath: string
  /** What a poll asks for. */
  readonly asked: string
  /** A finished job whose video is at `url`, as the vendor documents it. */
  readonly done: (url: string) => JsonObject
}

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  xai: {
    create: createXaiProvider,
    basePath: '/v1',
    asked: '/v1/videos/x',
    done: (url) => ({ status: 'done', video: { url } }),
  },
  rivya: {
    create: createRivyaProvider,
    basePath: '',
    asked: '/api/v1/generations/x',
    done: (url) => ({ status: 'succeeded', result: { primary_url: url } }),
  },
  grokimagineapi: {
    create: createGrokimagineapiProvider,
    basePath: '/gateway',
    asked: '/gateway/v1/status?task_id=x',
    done: (url) => ({ code: 200, data: { status: 'completed', response: [url] } }),
  },
  acedata: {
    create: createAcedataProvider,
    basePath: '/ace',
    asked: '/ace/grok/tasks',
    done: (url) => ({ id: 'x', response: { success: true, data: [{ state: 'succeeded', video_url: url }] } }),
  },
  'openai-videos': {
    create: createOpenaiVideosProvider,
    basePath: '/v1',
    asked: '/v1/videos/x',
    done: (url) => ({ id: 'x', status: 'completed', url }),
  },
}

const REQUEST = sampleRequest()

async function answered<Outcome>(
  { create, basePath }: Adapter,
  json: Json,
  call: (provider: Provider, pathsAsked: () => string[]) => Promise<Outcome>,
): Promise<Outcome> {
  await using server = await startReceiver(({ path, method }, response) => {
    const isFile = method === 'GET' && /\.mp4|content/.test(path)
    response.writeHead(200, { 'content-type': isFile ? 'video/mp4' : 'application/json' })
    response.end(isFile ? 'bytes' : JSON.stringify(json))
    return undefined
  })
  const settings = standInSettings({ baseUrl: `${server.url}${basePath}`, apiKeys: [] })
  await using provider = create(settings)
  return await call(provider, () => server.received.map(({ path }) => path))
}

const started = (adapter: Adapter, json: Json): Promise<StartOutcome> =>
  answered(adapter, json, (provider) => provider.start(REQUEST, startContext()))

const OPERATION = toJobOperation({ id: 'x', credential: undefined })

const polled = (adapter: Adapter, json: Json): Promise<PollOutcome> =>
  answered(adapter, json, (provider) => provider.poll(OPERATION, startContext()))

/** What is asked for when the video is downloaded, after the poll. */
function fetchedPath(adapter: Adapter, json: Json): Promise<string | undefined> {
  return answered(adapter, json, async (provider, pathsAsked) => {
    const outcome = await provider.poll(OPERATION, startContext())
    const [asset] = outcome.kind === 'succeeded' ? outcome.assets : []
    assert.ok(asset !== undefined && 'download' in asset, inspect(outcome))
    await using part = await asset.download({ fromByte: 0, signal: AbortSignal.timeout(10_000) })
    for await (const _ of part.body);
    return pathsAsked().at(-1)
  })
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  describe(`${name} behind a gateway`, () => {
    test('finds the id of a job under its common names, and inside an envelope', async () => {
      const names = ['id', 'task_id', 'request_id', 'job_id', 'video_id', 'generation_id', 'taskId', 'requestId']
      const answers: Json[] = names.flatMap((each) => [{ [each]: 'job-7' }, { code: 200, data: { [each]: 'job-7' } }])
      answers.push({ success: true, data: { id: 'job-7' } }, { code: 0, data: { task_id: 'job-7' } })
      for (const json of answers) {
        const outcome = await started(adapter, json)
        assert.equal(outcome.kind, 'accepted', `${JSON.stringify(json)}: ${inspect(outcome)}`)
        assert.equal(outcome.kind === 'accepted' && outcome.operation['id'], 'job-7')
      }
    })

    test('takes the id of no job out of an envelope that tells of an error', async () => {
      for (const json of [
        { code: 500, data: { task_id: 'job-7' } },
        { success: false, task_id: 'job-7' },
        { data: [] },
      ]) {
        assert.notEqual((await started(adapter, json)).kind, 'accepted', JSON.stringify(json))
      }
    })

    test('knows the common words for a job that is over, and for one that is not', async () => {
      if (name === 'acedata') return
      const told = async (word: string) => (await polled(adapter, withWord(adapter, word))).kind
      for (const word of ['done', 'completed', 'succeeded', 'success', 'finished', 'COMPLETED', 'Success'])
        assert.equal(await told(word), 'succeeded', word)
      for (const word of ['failed', 'failure', 'error', 'cancelled', 'FAILED'])
        assert.equal(await told(word), 'failed', word)
      for (const word of ['queued', 'pending', 'processing', 'in_progress', 'IN_PROGRESS', 'running', 'generating'])
        assert.deepEqual(await polled(adapter, withWord(adapter, word)), { kind: 'pending' }, word)
      assert.equal(await told('expired'), 'expired')
    })

    test('reads a poll inside an envelope', async () => {
      const json = name === 'grokimagineapi' ? adapter.done('/a.mp4') : { code: 200, data: adapter.done('/a.mp4') }
      assert.equal((await polled(adapter, json)).kind, 'succeeded')
    })

    test('asks for a video where its URL leads, seen from the URL that was asked', async () => {
      const references = [
        '/v1/videos/x/content',
        'x.mp4',
        './a/../x.mp4?sig=a%2Fb',
        '?file=x.mp4',
        ' /files/with space.mp4 ',
        '//127.0.0.1:1/x.mp4',
      ]
      for (const reference of references) {
        const expected = new URL(reference, `http://host${adapter.asked}`)
        if (expected.host !== 'host') continue
        const path = await fetchedPath(adapter, adapter.done(reference))
        assert.equal(path, `${expected.pathname}${expected.search}`, reference)
      }
    })

    test('has no video where the answer names something that is no URL', async () => {
      const outcome = await polled(adapter, adapter.done('https://[broken'))
      assert.equal(outcome.kind, 'succeeded')
      const assets = outcome.kind === 'succeeded' ? outcome.assets : []
      assert.equal(assets.length, name === 'openai-videos' ? 1 : 0)
    })
  })
}

function withWord({ done }: Adapter, word: string): Json {
  const json = done('/a.mp4')
  const data = json['data']
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return { ...json, data: { ...data, status: word } }
  return { ...json, status: word }
}

test('a completed video is taken from wherever the answer says that it is', async () => {
  const { xai, 'openai-videos': openai } = ADAPTERS
  assert.ok(xai !== undefined && openai !== undefined)
  for (const adapter of [xai, openai]) {
    for (const place of [
      { url: '/here.mp4' },
      { video_url: '/here.mp4' },
      { metadata: { url: '/here.mp4' } },
      { video: { url: '/here.mp4' } },
      { output: ['/here.mp4'] },
      { output: '/here.mp4' },
      { output: { video_url: '/here.mp4' } },
      { result: { url: '/here.mp4' } },
      { videos: [{ url: '/here.mp4' }] },
    ]) {
      assert.equal(await fetchedPath(adapter, { status: 'completed', ...place }), '/here.mp4', JSON.stringify(place))
    }
  }
})

test('a video that is not where the answer says is looked for at the content route', async () => {
  const { 'openai-videos': openai } = ADAPTERS
  assert.ok(openai !== undefined)
  await using server = await startReceiver(({ path }, response) => {
    if (path === '/v1/videos/x') response.end(JSON.stringify({ status: 'completed', url: '/data/outputs/x.mp4' }))
    else response.writeHead(path.endsWith('/content') ? 200 : 404).end('bytes')
    return undefined
  })
  await using provider = openai.create(standInSettings({ baseUrl: `${server.url}/v1`, apiKeys: [] }))
  const outcome = await provider.poll(OPERATION, startContext())
  const [asset] = outcome.kind === 'succeeded' ? outcome.assets : []
  assert.ok(asset !== undefined && 'download' in asset)
  await using part = await asset.download({ fromByte: 0, signal: AbortSignal.timeout(10_000) })
  for await (const chunk of part.body) assert.equal(chunk.toString(), 'bytes')
  assert.equal(server.received.at(-1)?.path, '/v1/videos/x/content')
})
