/** `reelay providers check` and `schema`: what an operator asks before customers do. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCli } from '../support/server.ts'
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
