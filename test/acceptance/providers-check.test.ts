/** `reelay providers check` and `schema`: what an operator asks before customers do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Json } from '../../src/canonical/json.ts'
import { checkProvider } from '../../src/cli/providers-command.ts'
import { createXaiProvider } from '../../src/providers/xai/adapter.ts'
import { runCli } from '../support/server.ts'
import { standInSettings } from '../support/stand-in-settings.ts'
import { openaiVideosSpeech } from '../support/upstream/openai-videos-speech.ts'
import { rivyaSpeech } from '../support/upstream/rivya-speech.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-check-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function check(config: unknown, ...args: string[]) {
  const file = join(folder, 'reelay.config.json')
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  const ran = await runCli(['providers', 'check', ...args], {
    REELAY_CONFIG: file,
    GOOD: FIRST_KEY,
    BAD: 'sk-hush-bad',
  })
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes('sk-'), 'no key is shown')
  return ran
}

interface Row {
  readonly name: string
  readonly ok: boolean
  readonly problem?: string
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: Json
  readonly text?: string
}

/** Until the test is over. Gives its origin. */
async function serve(test: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

describe('reelay providers check', () => {
  test('says of each provider whether it works, and why not, and begins no job', async () => {
    await using xai = await ScriptedUpstream.start(xaiSpeech)
    await using rivya = await ScriptedUpstream.start(rivyaSpeech)
    await using gpu = await ScriptedUpstream.start(openaiVideosSpeech({ models: ['wan-2'] }))
    await using closed = await ScriptedUpstream.start(xaiSpeech)
    const nobody = closed.baseUrl
    await closed[Symbol.asyncDispose]()
    const providers = {
      good: { kind: 'xai', baseUrl: xai.baseUrl, apiKey: 'env:GOOD' },
      listed: { kind: 'rivya', baseUrl: rivya.baseUrl, apiKey: 'env:GOOD' },
      named: { kind: 'openai-videos', baseUrl: gpu.baseUrl, apiKey: 'env:GOOD', model: 'wan-2' },
      'bad-key': { kind: 'xai', baseUrl: xai.baseUrl, apiKey: 'env:BAD' },
      nobody: { kind: 'xai', baseUrl: nobody, apiKey: 'env:GOOD' },
      'other-path': { kind: 'xai', baseUrl: new URL(xai.baseUrl).origin, apiKey: 'env:GOOD' },
      unlisted: { kind: 'openai-videos', baseUrl: gpu.baseUrl, apiKey: 'env:GOOD' },
      strange: { kind: 'rivya', baseUrl: rivya.baseUrl, apiKey: 'env:GOOD', model: 'sora' },
    }
    const config = { providers, models: { 'grok-imagine-video': { providers: Object.keys(providers) } } }
    const told = await check(config, '--json')
    assert.equal(told.code, 1, told.stderr)
    const rows: Row[] = JSON.parse(told.stdout).providers
    const problems = new Map(rows.map(({ name, ok, problem }) => [name, ok ? undefined : problem]))
    assert.deepEqual(
      rows.filter(({ ok }) => ok).map(({ name }) => name),
      ['good', 'listed', 'named'],
    )
    assert.match(problems.get('bad-key') ?? '', /400.*Incorrect API key/)
    assert.match(problems.get('nobody') ?? '', /refused|unreachable|connect/i)
    assert.match(problems.get('other-path') ?? '', /answers 404/)
    assert.match(problems.get('unlisted') ?? '', /does not list the model grok-imagine-video; it has: wan-2/)
    assert.match(problems.get('strange') ?? '', /does not list the model sora; it has: grok-imagine-video/)
    for (const upstream of [xai, rivya, gpu]) {
      assert.deepEqual([upstream.jobs.length, upstream.count('create')], [0, 0])
    }
    const shown = await check({
      ...config,
      models: { '*': { providers: ['good'] } },
      providers: { good: providers.good },
    })
    assert.equal(shown.code, 0, shown.stdout)
    assert.match(shown.stdout, /^good +works +–$/m)
  })

  test('tells a wrong address of an openai-videos server from a right one, and says what is wrong as a rule', async (test) => {
    const answers: Readonly<Record<string, Answer>> = {
      fastapi: { status: 404, json: { detail: 'Not Found' } },
      vllm: { status: 404, json: { error: { message: 'Not Found', code: 404 } } },
      'without-reason': { status: 400 },
      page: { status: 200, text: '<!doctype html><title>Hello</title>' },
      'all-ok': { status: 200, json: { ok: true } },
      elsewhere: { status: 308, headers: { location: 'https://example.com/v1' } },
      sglang: { status: 404, json: { detail: 'Video not found' } },
      'no-such-call': { status: 405, json: { detail: 'Method Not Allowed' } },
      'checks-ids': { status: 400, json: { error: { message: 'Invalid id', code: null } } },
    }
    const origin = await serve(test, ({ url = '' }, response) => {
      const [, name = ''] = url.split('/')
      const { status, headers = {}, json, text = '' } = answers[name] ?? { status: 500 }
      response.writeHead(status, headers).end(json === undefined ? text : JSON.stringify(json))
    })
    const providers = Object.fromEntries(
      Object.keys(answers).map((name) => [name, { kind: 'openai-videos', baseUrl: `${origin}/${name}/v1` }]),
    )
    const told = await check({ providers, models: { '*': { providers: Object.keys(providers) } } }, '--json')
    const rows: Row[] = JSON.parse(told.stdout).providers
    assert.deepEqual(
      rows.filter(({ ok }) => ok).map(({ name }) => name),
      ['sglang', 'no-such-call', 'checks-ids'],
    )
    for (const { ok, name, problem = '' } of rows) {
      if (ok) continue
      assert.match(problem, /"baseUrl" ends with \/v1/, name)
      assert.ok(problem.includes(`answers ${answers[name]?.status}`), problem)
      assert.ok(!problem.includes('<'), problem)
    }
  })

  test('says how long it waited for whoever says nothing, or never ends', async (test) => {
    const settings = standInSettings({ baseUrl: '', apiKeys: [] })
    const origins = [
      await serve(test, () => {}),
      await serve(test, (_request, response) => void response.writeHead(404).write('{')),
    ]
    for (const baseUrl of origins) {
      await using provider = createXaiProvider({ ...settings, baseUrl })
      const { ok, problem } = await checkProvider({ provider, models: [], timeoutMs: 50 })
      assert.deepEqual({ ok, problem }, { ok: false, problem: 'It gave no whole answer within 0.05 s.' })
    }
  })

  test('refuses a file that makes no sense in one sentence, and says that there is none', async () => {
    const wrong = await check('{"providers": {"main": {"kind": "xai"}}}')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /providers\.main\.baseUrl is missing; allowed: an http or https address/)
    const none = await runCli(['providers', 'check'], {})
    assert.equal(none.code, 0)
    assert.match(none.stdout, /every video is made by the animatic renderer/)
  })
})

test('reelay providers schema prints the schema that docs/ has for editors', async () => {
  const printed = await runCli(['providers', 'schema'])
  assert.equal(printed.code, 0, printed.stderr)
  const kept = await readFile(new URL('../../docs/reelay.config.schema.json', import.meta.url), 'utf8')
  assert.deepEqual(
    JSON.parse(kept),
    JSON.parse(printed.stdout),
    'npm run -s reelay -- providers schema > docs/reelay.config.schema.json',
  )
})
