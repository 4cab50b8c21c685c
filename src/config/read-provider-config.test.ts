import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ConfigError } from './config-error.ts'
import { type ReadProviderConfig, readProviderConfig } from './read-provider-config.ts'

const ENVIRONMENT = { XAI_API_KEY: 'xai-hush', OTHER_KEY: 'hush-two', EMPTY: '', PASTED: 'hush hush\n' }
const OPTIONS = {
  environment: ENVIRONMENT,
  kinds: ['xai', 'openai-videos', 'comfyui'],
  models: ['grok-imagine-video', 'grok-imagine-video-1.5'],
}

/** As an operator writes it first. */
const SMALLEST = {
  providers: {
    main: { kind: 'xai', baseUrl: 'https://api.x.ai/v1', apiKey: 'env:XAI_API_KEY' },
    gpu: { kind: 'openai-videos', baseUrl: 'http://gpu-box:30000/v1' },
  },
  models: { 'grok-imagine-video': { providers: ['main', 'gpu'] } },
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-config-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function read(content: unknown): Promise<ReadProviderConfig> {
  const path = join(folder, 'reelay.config.json')
  const isRaw = typeof content === 'string' || Buffer.isBuffer(content)
  await writeFile(path, isRaw ? content : JSON.stringify(content))
  return await readProviderConfig(path, OPTIONS)
}

async function refusalOf(content: unknown): Promise<string> {
  const error = await read(content).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ConfigError, String(error))
  return error.message.replaceAll(`${folder}/`, '')
}

/** The smallest configuration with another `main`. */
function withMain(change: Record<string, unknown>): unknown {
  return { ...SMALLEST, providers: { ...SMALLEST.providers, main: { ...SMALLEST.providers.main, ...change } } }
}

describe('the configuration of providers', () => {
  test('takes the smallest form, with what it leaves out', async () => {
    const { providers, models, moderation, deadlines } = await read(SMALLEST)
    assert.deepEqual(
      providers.map(({ name, kind, baseUrl, apiKeys, weight, model }) => [name, kind, baseUrl, apiKeys, weight, model]),
      [
        ['main', 'xai', 'https://api.x.ai/v1', ['xai-hush'], 1, undefined],
        ['gpu', 'openai-videos', 'http://gpu-box:30000/v1', [], 1, undefined],
      ],
    )
    assert.deepEqual(models, { 'grok-imagine-video': { providers: ['main', 'gpu'], strategy: 'ordered' } })
    assert.deepEqual(moderation, { rules: true, endpoint: undefined })
    assert.deepEqual(deadlines, { taskSeconds: 3_600, uncertainSeconds: 3_600 })
  })

  test('takes every key', async () => {
    await writeFile(join(folder, 'graph.json'), '{"1": {"class_type": "X", "inputs": {}}}')
    await writeFile(join(folder, 'key'), 'hush-of-a-file\n')
    const limits = { concurrency: 7, requestsPerMinute: 30, timeoutSeconds: 20, pollSeconds: 0.5, costMicroUsd: 0 }
    const found = await read({
      $schema: './docs/reelay.config.schema.json',
      providers: {
        main: {
          ...SMALLEST.providers.main,
          ...limits,
          baseUrl: 'https://api.x.ai/v1/',
          apiKey: ['file:key', 'env:XAI_API_KEY'],
          model: 'theirs',
          weight: 3,
          honoursIdempotencyKey: true,
          webhookSecret: 'env:OTHER_KEY',
        },
        mine: {
          kind: 'comfyui',
          baseUrl: 'http://127.0.0.1:8188',
          workflow: { file: 'graph.json', inputs: { prompt: '6.text', seed: '3.seed' } },
        },
      },
      models: { '*': { providers: ['main', 'animatic'], strategy: 'weighted' } },
      moderation: {
        rules: false,
        endpoint: { baseUrl: 'https://api.openai.com/v1', apiKey: 'env:OTHER_KEY', model: 'omni', whenAway: 'allow' },
      },
      deadlines: { taskSeconds: 600, uncertainSeconds: 86_400 },
    })
    const [main, mine] = found.providers
    assert.deepEqual(main?.apiKeys, ['hush-of-a-file', 'xai-hush'])
    assert.deepEqual({ ...main, ...limits }, main)
    assert.deepEqual([main?.baseUrl, main?.model, main?.weight], ['https://api.x.ai/v1', 'theirs', 3])
    assert.deepEqual([main?.honoursIdempotencyKey, main?.webhookSecret], [true, 'hush-two'])
    assert.deepEqual(mine?.workflow?.graph, { '1': { class_type: 'X', inputs: {} } })
    assert.equal(mine?.workflow?.framesPerSecond, 24)
    assert.deepEqual([found.moderation.endpoint?.apiKey, found.moderation.endpoint?.timeoutSeconds], ['hush-two', 5])
    assert.deepEqual(found.deadlines, { taskSeconds: 600, uncertainSeconds: 86_400 })
  })

  test('may be no more than {}, and may begin with a mark of its bytes’ order', async () => {
    assert.deepEqual((await read('{}')).providers, [])
    assert.equal((await read(`\ufeff${JSON.stringify(SMALLEST)}`)).providers.length, 2)
  })

  const refused: readonly (readonly [name: string, content: unknown, ...says: string[]])[] = [
    ['an empty file', '', 'reelay.config.json is not JSON: it is empty; the least that it can be is {}.'],
    ['a comment', '{\n // mine\n}', 'line 2, column 2: there is a comment'],
    ['another encoding', Buffer.from('\ufeff{}', 'utf16le'), 'it is not in UTF-8'],
    ['a key twice', '{"providers": {}, "providers": {}}', 'line 1, column 19: a key is there twice: "providers".'],
    ['a list', [], 'the file cannot be an empty list; allowed: an object of $schema, providers, models'],
    ['an unknown member', { provider: {} }, 'there is no "provider"; allowed: an object of $schema, providers, models'],
    [
      'an unknown setting',
      withMain({ url: 1 }),
      'there is no "url" in providers.main; allowed: an object of kind, baseUrl',
    ],
    [
      'an unknown kind',
      withMain({ kind: 'sora' }),
      'providers.main.kind cannot be "sora"; allowed: xai, openai-videos',
    ],
    ['no kind', withMain({ kind: undefined }), 'providers.main.kind is missing; allowed: xai, openai-videos, comfyui'],
    ['no address', withMain({ baseUrl: undefined }), 'providers.main.baseUrl is missing; allowed: a'],
    [
      'half an address',
      withMain({ baseUrl: 'api.x.ai' }),
      'providers.main.baseUrl cannot be "api.x.ai"; allowed: an http',
    ],
    [
      'another protocol',
      withMain({ baseUrl: 'ftp://x.ai' }),
      'cannot be "ftp://x.ai"; allowed: an http or https address',
    ],
    [
      'no whole number',
      withMain({ concurrency: 1.5 }),
      'providers.main.concurrency cannot be 1.5; allowed: a whole number from 1 to 10000',
    ],
    [
      'too much',
      withMain({ timeoutSeconds: 31 }),
      'providers.main.timeoutSeconds cannot be 31; allowed: a number from 1 to 30',
    ],
    [
      'a text for a number',
      withMain({ weight: '3' }),
      'providers.main.weight cannot be "3"; allowed: a whole number from 1 to 1000',
    ],
    [
      'a negative price',
      withMain({ costMicroUsd: -1 }),
      'providers.main.costMicroUsd cannot be -1; allowed: a whole number from 0',
    ],
    ['no boolean', withMain({ honoursIdempotencyKey: 'yes' }), 'cannot be "yes"; allowed: true, false'],
    ['a name with a space', { providers: { 'my box': {} } }, 'providers cannot have a "my box"; allowed: names of a-z'],
    [
      'the renderer’s name',
      { ...SMALLEST, providers: { ...SMALLEST.providers, animatic: SMALLEST.providers.gpu } },
      'providers cannot have a "animatic"',
    ],
    [
      'the name of the renderer’s sandbox, which test credits reach',
      { ...SMALLEST, providers: { ...SMALLEST.providers, 'animatic-sandbox': SMALLEST.providers.gpu } },
      'providers cannot have a "animatic-sandbox"',
    ],
    [
      'an unknown strategy',
      { ...SMALLEST, models: { '*': { providers: ['main'], strategy: 'random' } } },
      'models.*.strategy cannot be "random"; allowed: ordered, weighted',
    ],
    [
      'an empty route',
      { ...SMALLEST, models: { '*': { providers: [] } } },
      'models.*.providers cannot be an empty list; allowed: a list of 1 or more (a text)',
    ],
    [
      'an unknown provider',
      { ...SMALLEST, models: { '*': { providers: ['main', 'mian'] } } },
      'models.*.providers[1] cannot be "mian"; allowed: main, gpu, animatic.',
    ],
    [
      'a provider twice',
      { ...SMALLEST, models: { '*': { providers: ['main', 'main'] } } },
      'models.*.providers[1] is "main", which is there already.',
    ],
    [
      'an unknown model',
      { ...SMALLEST, models: { sora: { providers: ['main'] } } },
      'models cannot have a "sora"',
      'allowed: *, grok-imagine-video, grok-imagine-video-1.5.',
    ],
    [
      'providers without routes',
      { providers: SMALLEST.providers },
      'models is missing',
      '{"*": {"providers": ["main"]}}',
    ],
    [
      'no variable',
      withMain({ apiKey: 'env:NOT_SET' }),
      'reelay.config.json: providers.main.apiKey wants the environment variable NOT_SET, which is not set.',
    ],
    ['a key where its name belongs', withMain({ apiKey: 'env:sk_live_1' }), 'wants the environment variable, which is'],
    ['an empty variable', withMain({ apiKey: 'env:EMPTY' }), 'the environment variable EMPTY, which is not set'],
    ['a key pasted badly', withMain({ apiKey: 'env:PASTED' }), 'the environment variable PASTED, which has spaces'],
    ['no file of a key', withMain({ apiKey: 'file:nowhere' }), 'wants the file nowhere, which cannot be read'],
    ['no workflow', withMain({ kind: 'comfyui' }), 'providers.main.workflow is missing: a comfyui needs one'],
    [
      'a strange workflow',
      withMain({ workflow: { file: 'x', inputs: { prompt: '1.a' } } }),
      'workflow is for kind comfyui only',
    ],
    [
      'a short deadline',
      { deadlines: { uncertainSeconds: 1 } },
      'deadlines.uncertainSeconds cannot be 1; allowed: a whole number from 60 to 604800',
    ],
    ['no policy', { moderation: { endpoint: { baseUrl: 'x:' } } }, 'moderation.endpoint.baseUrl cannot be "x:"'],
    [
      'two mistakes',
      withMain({ kind: 'a', weight: 0 }),
      'providers.main.kind cannot be "a"',
      'And providers.main.weight cannot be 0',
    ],
  ]
  for (const [name, content, ...says] of refused) {
    test(`refuses ${name}, and says where and what is allowed`, async () => {
      const message = await refusalOf(content)
      for (const part of says) assert.ok(message.includes(part), `"${message}" does not say "${part}"`)
    })
  }

  test('never shows what may be a secret', async () => {
    for (const content of [
      withMain({ apiKey: 'sk-hush' }),
      withMain({ apiKey: ['env:XAI_API_KEY', 'sk-hush'] }),
      withMain({ apiKey: { key: 'sk-hush' } }),
      withMain({ webhookSecret: 'sk-hush' }),
      withMain({ api_key: 'sk-hush' }),
      withMain({ baseUrl: 'https://me:sk-hush@api.x.ai' }),
      withMain({ baseUrl: 'https://api.x.ai?key=sk-hush' }),
      withMain({ apiKey: 'env:PASTED' }),
      { moderation: { endpoint: { baseUrl: 'https://a.b', apiKey: 'sk-hush' } } },
      '{"providers": {"main": {"apiKey": sk-hush}}}',
    ]) {
      const message = await refusalOf(content)
      assert.ok(!message.includes('hush'), message)
    }
    assert.match(
      await refusalOf(withMain({ apiKey: 'sk-hush' })),
      /providers\.main\.apiKey .*allowed: env:NAME or file:PATH/,
    )
  })

  test('that is not there is refused by its name', async () => {
    await assert.rejects(
      readProviderConfig(join(folder, 'nowhere.json'), OPTIONS),
      (error) => error instanceof ConfigError && /nowhere\.json cannot be read \(ENOENT\)\./.test(error.message),
    )
  })
})
