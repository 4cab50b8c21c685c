/** The command line: what it prints for people and for scripts, and how it fails. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { type CommandResult, runCli, startCli, startServer, type TestServer } from '../support/server.ts'
import { CHEAP, create, credits, get, pageOf } from './rivya.ts'
import { readVideoFile } from './video-file.ts'

const ACCOUNT = /^acct_[0-9a-f]{32}$/
const KEY = /^key_[0-9a-f]{32}$/
const LIVE = /^rly_live_[A-Za-z0-9_-]{32}$/
const TEST = /^rly_test_[A-Za-z0-9_-]{32}$/
const SCOPES = 'models:read generations:create generations:read files:create files:read credits:read webhooks:manage'

/** Standard output as the one JSON value that it has to be. */
function jsonOf(result: CommandResult): Record<string, unknown> {
  assert.equal(result.code, 0, result.stdout + result.stderr)
  return JSON.parse(result.stdout)
}

/** Fails with code 1 and one sentence on standard error, and nothing on standard output. */
function assertSentence(result: CommandResult, ...says: (string | RegExp)[]): void {
  assert.equal(result.code, 1, result.stdout + result.stderr)
  assert.equal(result.stdout, '')
  assert.match(result.stderr, /^reelay: [^\n]+\n$/)
  assertSays(result.stderr, says)
}

/** Fails with code 1 and one JSON value on standard output. */
function assertJsonError(result: CommandResult, ...says: (string | RegExp)[]): void {
  assert.equal(result.code, 1, result.stdout + result.stderr)
  const { error, ...more } = JSON.parse(result.stdout)
  assert.deepEqual(more, {})
  assert.deepEqual(Object.keys(error), ['message'])
  assert.equal(result.stderr, '')
  assertSays(error.message, says)
}

function assertSays(text: string, parts: readonly (string | RegExp)[]): void {
  for (const part of parts) {
    if (typeof part === 'string') assert.ok(text.includes(part), `"${text}" does not say "${part}"`)
    else assert.match(text, part)
  }
}

describe('the command line beside a running server', () => {
  let server: TestServer
  let directory: string
  before(async () => {
    server = await startServer({ credits: 100 })
    directory = await mkdtemp(join(tmpdir(), 'reelay-cli-'))
  })
  after(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const run = async (...args: string[]): Promise<Record<string, unknown>> =>
    jsonOf(await server.command(...args, '--json'))
  const firstAccount = (): string => server.accountId ?? ''

  test('accounts create prints what a script needs, and the keys work at once', async () => {
    const made = await run('accounts', 'create', 'Ada & Söhne', '--plan', 'pro', '--credits', '100')
    const { account, key, test_key, ...more } = made
    assert.deepEqual(more, {})
    assert.ok(typeof account === 'object' && account !== null && 'id' in account && 'created_at' in account)
    const { id, created_at, ...rest } = account
    assert.match(String(id), ACCOUNT)
    assert.ok(!Number.isNaN(Date.parse(String(created_at))))
    assert.deepEqual(rest, {
      name: 'Ada & Söhne',
      plan: 'pro',
      spicy_allowed: false,
      requests_per_minute: 1000,
      credits: 100,
    })
    assert.match(String(key), LIVE)
    assert.match(String(test_key), TEST)
    assert.equal(await credits(server, { key: String(key) }), 100)
    assert.equal(await credits(server, { key: String(test_key) }), 10_000)

    const { accounts } = await run('accounts', 'list')
    assert.ok(Array.isArray(accounts))
    assert.deepEqual(
      accounts.map(({ name }) => name),
      ['first account', 'Ada & Söhne'],
    )
    const updated = await run('accounts', 'update', String(id), '--plan', 'free', '--allow-spicy')
    assert.match(JSON.stringify(updated), /"plan":"free","spicy_allowed":true/)
  })

  test('accounts create shows people the keys, once', async () => {
    const { code, stdout } = await server.command('accounts', 'create', 'Grace')
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^account {3}acct_[0-9a-f]{32} \(Grace, free, 0 credits\)\nlive key {2}rly_live_\S+\ntest key {2}rly_test_\S+\n/,
    )
    const listed = await server.command('accounts', 'list')
    assert.match(listed.stdout, /^ACCOUNT +PLAN +SPICY +REQUESTS\/MIN +NAME\n/)
    assert.doesNotMatch(listed.stdout, /rly_/)
  })

  test('keys: create with scopes and expiry, list without secrets, revoke', async () => {
    const made = await run(
      ...['keys', 'create', firstAccount(), '--mode', 'test', '--name', 'CI'],
      ...['--scopes', 'generations:read,credits:read', '--expires-in-days', '7'],
    )
    const { id, key, created_at, expires_at, ...rest } = made
    assert.match(String(id), KEY)
    assert.match(String(key), TEST)
    assert.deepEqual(rest, {
      account: firstAccount(),
      mode: 'test',
      name: 'CI',
      prefix: String(key).slice(0, 15),
      scopes: ['generations:read', 'credits:read'],
      revoked_at: null,
    })
    assert.equal(Date.parse(String(expires_at)) - Date.parse(String(created_at)), 7 * 86_400_000)

    const plain = await run('keys', 'create', firstAccount())
    assert.deepEqual([plain['name'], plain['mode'], plain['expires_at']], [null, 'live', null])
    assert.deepEqual(plain['scopes'], SCOPES.split(' '))

    const revoked = await run('keys', 'revoke', String(id))
    assert.deepEqual(revoked, { id, revoked: true })
    const { keys } = await run('keys', 'list', firstAccount())
    assert.ok(Array.isArray(keys))
    const listed = keys.find((each) => each.id === id)
    assert.ok(!Number.isNaN(Date.parse(listed.revoked_at)))
    assert.ok(!('key' in listed))
    const people = await server.command('keys', 'list', firstAccount())
    assert.match(people.stdout, /^KEY +PREFIX +STATUS +SCOPES +NAME\n/)
    assert.match(people.stdout, new RegExp(`${id} +rly_test_\\S+… +revoked `))
    assert.doesNotMatch(people.stdout, new RegExp(String(key)))
    assert.match(people.stdout, /rly_live_.{6}… +active/)
  })

  test('credits: show, grant, revoke, and a statement of it all', async () => {
    const { account } = await run('accounts', 'create', 'Saver', '--credits', '50')
    const id = account !== null && typeof account === 'object' && 'id' in account ? String(account.id) : ''
    assert.deepEqual(await run('credits', 'grant', id, '25', '--note', 'a gift'), {
      granted: 75,
      available: 75,
      held: 0,
      spent: 0,
    })
    assert.deepEqual(await run('credits', 'revoke', id, '5'), { granted: 70, available: 70, held: 0, spent: 0 })
    assertJsonError(await server.command('credits', 'revoke', id, '71', '--json'), 'Only 70 credits are available')
    assert.deepEqual(await run('credits', 'show', id, '--mode', 'test'), {
      granted: 10_000,
      available: 10_000,
      held: 0,
      spent: 0,
    })
    const { transfers } = await run('credits', 'statement', id)
    assert.ok(Array.isArray(transfers))
    assert.deepEqual(
      transfers.map(({ kind, amount, note }) => [kind, amount, note]),
      [
        ['revoke', 5, null],
        ['grant', 25, 'a gift'],
        ['grant', 50, 'initial credits'],
      ],
    )
    const people = await server.command('credits', 'statement', id, '--limit', '1')
    assert.match(people.stdout, /^TIME +KIND +CREDITS +TASK +NOTE\n\S+ +revoke +5\n$/)
  })

  test('models, without a server or a database, prints the catalog', async () => {
    const { models } = jsonOf(await runCli(['models', '--json'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' }))
    assert.ok(Array.isArray(models))
    assert.deepEqual(
      models.map(({ id, dialect }) => `${dialect} ${id}`),
      [
        'acedata grok-imagine-video',
        'acedata grok-imagine-video-1.5-preview',
        'grokimagineapi grok-imagine-video',
        'openai grok-imagine-video',
        'openai grok-imagine-video-1.5',
        'rivya grok-imagine-video',
        'xai grok-imagine-video',
        'xai grok-imagine-video-1.5',
      ],
    )
  })

  test('migrate finds nothing to do beside a server', async () => {
    assert.deepEqual(await run('migrate'), { applied: [] })
  })

  test('doctor finds every part well, and names each', async () => {
    const { healthy, checks } = await run('doctor')
    assert.equal(healthy, true)
    assert.ok(Array.isArray(checks))
    assert.deepEqual(
      checks.map(({ name, ok }) => [name, ok]),
      [
        'node',
        'data directory',
        'database',
        'ledger',
        'overdue tasks',
        'open work',
        'catalog',
        'store',
        'renderer',
      ].map((name) => [name, true]),
    )
  })

  test('doctor names the data directory that is no directory, and blames nothing else for it', async () => {
    const env = { REELAY_DATA_DIR: '/dev/null/reelay' }
    const { code, stdout } = await runCli(['doctor'], env)
    assert.equal(code, 1)
    assert.match(stdout, /^FAIL {2}data directory .*\/dev\/null\/reelay.*\n +Make it writable.*REELAY_DATA_DIR/m)
    assert.match(
      stdout,
      /^FAIL {2}database +not examined: first mend the data directory\nFAIL {2}ledger +not examined/m,
    )
    assert.match(stdout, /^FAIL {2}store +not examined/m)
    assert.doesNotMatch(stdout, /DATABASE_URL|Stop Reelay/)
  })

  test('doctor says what to do about a part that is not well, and exits with 1', async () => {
    const env = { ...server.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REELAY_DATA_DIR: directory }
    const { code, stdout } = await runCli(['doctor', '--json'], env)
    assert.equal(code, 1)
    const { healthy, checks } = JSON.parse(stdout)
    assert.equal(healthy, false)
    const database = checks.find((each: { name: string }) => each.name === 'database')
    assert.equal(database.ok, false)
    assert.match(database.advice, /DATABASE_URL/)
  })

  describe('generate', () => {
    test('makes a video with progress, saves it under -o, and prints what it cost', async () => {
      const path = join(directory, 'made', 'sea.mp4')
      const options = ['--duration', '6', '--resolution', '480p', '--ratio', '1:1', '--mode', 'fun']
      const result = await server.command('generate', 'A sea', '-o', path, '--json', ...options)
      const made = jsonOf(result)
      assert.deepEqual([made['status'], made['final_credits'], made['path']], ['succeeded', 10, path])
      assert.match(result.stderr, / +\d+ % {2}processing\n/)
      assert.match(result.stderr, /█{32} 100 % {2}succeeded\n$/)
      const file = await readVideoFile(new Uint8Array(await readFile(path)))
      assert.deepEqual([file.width, file.height, file.frames], [480, 480, 144])
      assert.deepEqual(await readdir(join(directory, 'made')), ['sea.mp4'], 'no half file is left')

      const status = await run('status', String(made['id']))
      assert.deepEqual([status['status'], status['progress'], status['queue_position']], ['succeeded', 100, null])
      const people = await server.command('status', String(made['id']))
      assert.match(
        people.stdout,
        /^task_[0-9a-f]{32}: succeeded, 100 %\ncredits: 10 reserved, 10 charged\nhttp:\/\/\S+\n$/,
      )
    })

    test('ends with 1 and the reason when the video fails', async () => {
      assertJsonError(
        await server.command('generate', 'sandbox:fail', '--json').then(withoutProgress),
        'failed',
        'sandbox:fail',
      )
      const refused = await server.command('generate', 'sea', '--duration', '5')
      assertSentence(refused, 'params.duration cannot be 5', 'validation_failed')
    })

    test('refuses an -o that cannot be written before there is anything to pay for', async () => {
      const before = pageOf(await server.ask('GET', '/api/v1/generations?limit=1')).data[0]?.id
      const bad = [directory, `${join(directory, 'new')}/`, '/dev/null/sea.mp4']
      for (const output of bad) assertSentence(await server.command('generate', 'sea', '-o', output), 'directory')
      assert.equal(pageOf(await server.ask('GET', '/api/v1/generations?limit=1')).data[0]?.id, before)
    })

    test('cancels the task on Ctrl-C, and says so', async () => {
      const before = await credits(server)
      const env = { ...server.env, REELAY_URL: server.url, REELAY_API_KEY: server.key }
      const { child, result, stderr } = startCli(['generate', 'sandbox:slow=600', '--json'], env)
      await waitFor('the task to run', () => /processing/.test(stderr()) || undefined)
      const [task] = pageOf(await server.ask('GET', '/api/v1/generations?limit=1')).data
      child.kill('SIGINT')
      assertJsonError(withoutProgress(await result), task?.id ?? '', 'canceled')
      assert.equal((await get(server, task?.id ?? '')).status, 'canceled')
      assert.equal(await credits(server), before)
    })
  })

  describe('what cannot be done', () => {
    const NOBODY = `acct_${'0'.repeat(32)}`
    const bad: readonly (readonly [args: string[], ...says: (string | RegExp)[]])[] = [
      [['nope'], "unknown command 'nope'"],
      [['accounts', 'create'], "missing required argument 'name'"],
      [['accounts', 'create', 'x', '--plan', 'gold'], '"gold"', 'free, pro, enterprise'],
      [['keys', 'create', NOBODY], 'There is no account'],
      [['status', `task_${'0'.repeat(32)}`], 'no such generation', 'not_found'],
      [['status', 'x', '--url', 'http://127.0.0.1:1'], 'No server answers at http://127.0.0.1:1'],
      [['generate', 'x', '--key', ''], 'REELAY_API_KEY'],
      [['generate', 'x', '--bogus'], "unknown option '--bogus'"],
      [['import', '/nowhere/backup.ndjson.gz'], '/nowhere/backup.ndjson.gz'],
      [['export', '/nowhere/backup.ndjson.gz'], '/nowhere/backup.ndjson.gz'],
    ]
    // A process takes a second: people's form and scripts' form in turns.
    for (const [index, [args, ...says]] of bad.entries()) {
      const json = index % 2 === 1
      test(`${args.join(' ').slice(0, 50)}: ${json ? 'an error as JSON' : 'one sentence'}, and code 1`, async () => {
        if (json) assertJsonError(await server.command(...args, '--json'), ...says)
        else assertSentence(await server.command(...args), ...says)
      })
    }

    test('contradictory settings: the sentence names them', async () => {
      const env = { REELAY_ROLE: 'worker', REELAY_DATA_DIR: directory }
      assertSentence(await runCli(['serve'], env), 'REELAY_ROLE=worker', 'DATABASE_URL')
      const credits = { REELAY_BOOTSTRAP_CREDITS: '5', REELAY_DATA_DIR: directory }
      assertJsonError(await runCli(['serve', '--json'], credits), 'REELAY_BOOTSTRAP_CREDITS', 'REELAY_BOOTSTRAP_KEY')
    })

    test('another bootstrap key than the first: one sentence, and no second account', async () => {
      const env = { ...server.env, REELAY_DATA_DIR: directory, REELAY_BOOTSTRAP_KEY: `rly_live_${'x'.repeat(32)}` }
      const before = await run('accounts', 'list')
      const failed = await runCli(['serve'], { ...env, REELAY_LOG_LEVEL: 'silent' })
      assertSentence(failed, 'REELAY_BOOTSTRAP_KEY is not a key of this installation', 'accounts already')
      assert.deepEqual(await run('accounts', 'list'), before)
    })

    test('a port that is taken: the sentence names it', async () => {
      const { port } = new URL(server.url)
      const env = { ...server.env, REELAY_PORT: port, REELAY_DATA_DIR: directory }
      assertSentence(await runCli(['serve'], { ...env, REELAY_LOG_LEVEL: 'silent' }), port)
    })
  })

  test('--help tells the commands and ends with 0', async () => {
    const { code, stdout } = await runCli(['--help'])
    assert.equal(code, 0)
    for (const command of 'serve quickstart generate status verify accounts keys credits models migrate doctor export import'.split(
      ' ',
    )) {
      assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
    }
  })

  test('a second server on the same database takes part, and both answer alike', async () => {
    const { id } = await create(server, CHEAP)
    await using second = await startServer({ databaseUrl: server.databaseUrl ?? '', key: server.key })
    assert.equal((await get(second, id)).id, id)
  })

  test('SIGINT stops a server as SIGTERM does', async () => {
    const { child, result } = startCli(['serve'], { ...server.env, REELAY_DATA_DIR: directory, REELAY_PORT: '0' })
    let log = ''
    child.stdout?.on('data', (text) => {
      log += text
    })
    await waitFor('it to be ready', () => log.includes('Reelay is ready') || undefined)
    child.kill('SIGINT')
    await once(child, 'exit')
    assert.equal((await result).code, 0)
  })
})

/** Without the lines of the progress bar. */
function withoutProgress(result: CommandResult): CommandResult {
  return { ...result, stderr: result.stderr.replace(/^[█░]{32} .*\n/gm, '') }
}
