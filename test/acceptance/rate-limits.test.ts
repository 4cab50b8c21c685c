/**
 * Requests a minute, seen from outside: who may make how many, what each answer says of it, and what becomes of it on
 * several servers. A window lasts a minute and no test here takes so long, so within one it does not end.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { newKeySecret } from '../../src/accounts/key-secret.ts'
import type { PlanName } from '../../src/accounts/plans.ts'
import { DIALECTS } from '../../src/dialects/index.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { redisMissing, TestRedis } from '../support/redis.ts'
import { type Answer, runCli, startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { assertRefused, CHEAP, cancel, create, generationOf, SLOW } from './rivya.ts'

const GENERATIONS = '/api/v1/generations'
const FIELDS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit-policy', 'ratelimit']

/** Less than the five seconds for which a server believes what it knows of a key. */
const AT_ONCE_MS = 2_000

/** Longer than any answer may take while Redis is away: the node waits half a second for it, once. */
const NO_HANG_MS = 5_000

if (redisMissing !== false) process.stderr.write(`Skipped: servers that share a Redis; ${redisMissing}.\n`)

/** Checks the five fields of an answer against each other and the clock, and returns what is left. */
function remainingOf(answer: Answer, kind: 'create' | 'read', limit: number): number {
  const [sentLimit, remaining, reset, policy, current] = FIELDS.map((name) => answer.headers.get(name) ?? 'absent')
  assert.equal(sentLimit, String(limit), answer.text)
  assert.match(remaining ?? '', /^\d+$/)
  assert.equal(policy, `"${kind}";q=${limit};w=60`)
  const seconds = Number(/^"(?:create|read)";r=\d+;t=(\d+)$/.exec(current ?? '')?.[1])
  assert.equal(current, `"${kind}";r=${remaining};t=${seconds}`)
  assert.ok(seconds >= 1 && seconds <= 60, current)
  // Both are rounded up, and time has passed since the answer.
  const wait = Number(reset) - Date.now() / 1000
  assert.ok(wait > seconds - 10 && wait <= seconds + 1, `reset in ${wait} s, but ${current}`)
  return Number(remaining)
}

function assertNotCounted(answer: Answer): void {
  for (const name of FIELDS) assert.equal(answer.headers.get(name), null, name)
}

/** Checks a refusal in Rivya's words. */
function assertLimited(answer: Answer, kind: 'create' | 'read', limit: number): void {
  assert.equal(remainingOf(answer, kind, limit), 0)
  const retryAfter = answer.headers.get('retry-after') ?? ''
  assert.equal(answer.headers.get('ratelimit'), `"${kind}";r=0;t=${retryAfter}`)
  const says = [`may make ${limit} ${kind} requests a minute`, `again in ${retryAfter} s`]
  assertRefused(answer, { status: 429, code: 'rate_limited', says })
}

function statusesOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** A create that is refused before it costs anything, and counted all the same. */
function badCreate(server: TestServer, { key }: TestAccount): Promise<Answer> {
  return server.ask('POST', GENERATIONS, { key, body: {} })
}

describe('rate limits', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  const account = (requestsPerMinute: number, credits = 1_000): Promise<TestAccount> =>
    server.createAccount({ credits, requestsPerMinute })

  describe('the fields', () => {
    test('stand on every answer to a create, good or bad, and count down', async () => {
      const { key } = await account(50, 10)
      const bodies: readonly (readonly [status: number, body: unknown, headers?: Record<string, string>])[] = [
        [200, CHEAP],
        [402, CHEAP],
        [400, {}],
        [400, '{"model":'],
        [415, 'x', { 'content-type': 'text/plain' }],
      ]
      for (const [index, [status, body, headers = {}]] of bodies.entries()) {
        const answer = await server.ask('POST', GENERATIONS, { key, body, headers })
        assert.equal(answer.status, status, answer.text)
        assert.equal(remainingOf(answer, 'create', 50), 49 - index)
        assert.equal(answer.headers.get('retry-after'), null)
      }
    })

    test('stand on every answer to any other request, good or bad, and count down', async () => {
      const { key } = await account(50)
      const { id } = await create(server, SLOW, { key })
      const asks: readonly (readonly [status: number, method: string, path: string])[] = [
        [200, 'GET', GENERATIONS],
        [200, 'GET', `/rivya${GENERATIONS}/${id}`],
        [404, 'GET', `${GENERATIONS}/task_${'0'.repeat(32)}`],
        [400, 'GET', `${GENERATIONS}?limit=-1`],
        [200, 'GET', '/api/v1/credits'],
        [200, 'POST', `${GENERATIONS}/${id}/cancel`],
      ]
      for (const [index, [status, method, path]] of asks.entries()) {
        const answer = await server.ask(method, path, { key })
        assert.equal(answer.status, status, answer.text)
        assert.equal(remainingOf(answer, 'read', 50), 49 - index)
      }
    })

    test('name the same reset throughout the window', async () => {
      const its = await account(50)
      const resets = new Set<string | null>()
      for (let request = 0; request < 5; request++) {
        resets.add((await badCreate(server, its)).headers.get('x-ratelimit-reset'))
      }
      assert.equal(resets.size, 1)
    })

    test('are absent where the account is not known; a key without the scope counts for its account', async () => {
      const { key, accountId } = await account(50)
      const narrow = await server.command(
        'keys',
        'create',
        accountId,
        '--name',
        'narrow',
        '--scopes',
        'credits:read',
        '--json',
      )
      const { key: narrowKey } = z.object({ key: z.string() }).parse(JSON.parse(narrow.stdout))
      const refused: readonly (readonly [status: number, key: string | null])[] = [
        [401, null],
        [401, 'nonsense'],
        [401, `rly_live_${'x'.repeat(32)}`],
      ]
      for (const [status, each] of refused) {
        const answer = await server.ask('GET', GENERATIONS, { key: each })
        assert.equal(answer.status, status, answer.text)
        assertNotCounted(answer)
      }
      const unknown = await server.ask('GET', '/api/v1/nothing', { key })
      assert.equal(unknown.status, 404)
      assertNotCounted(unknown)
      for (const left of [49, 48]) {
        const denied = await server.ask('GET', GENERATIONS, { key: narrowKey })
        assert.equal(denied.status, 403, denied.text)
        assert.equal(remainingOf(denied, 'read', 50), left)
      }
      assert.equal(remainingOf(await server.ask('GET', GENERATIONS, { key }), 'read', 50), 47)
    })

    test('are met by a key without the scope, which is then told to wait as any other', async () => {
      const { accountId } = await account(2)
      const { stdout } = await server.command('keys', 'create', accountId, '--scopes', 'credits:read', '--json')
      const { key } = z.object({ key: z.string() }).parse(JSON.parse(stdout))
      const answers = []
      for (let request = 0; request < 4; request++) answers.push(await server.ask('GET', GENERATIONS, { key }))
      assert.deepEqual(statusesOf(answers), { 403: 2, 429: 2 })
    })

    test('a long poll counts once, however long it waits', async () => {
      const { key } = await account(50)
      const { id } = await create(server, SLOW, { key })
      const first = await server.ask('GET', `${GENERATIONS}/${id}`, { key, headers: { prefer: 'wait=1' } })
      assert.equal(first.headers.get('preference-applied'), 'wait=1')
      assert.equal(remainingOf(first, 'read', 50), 49)
      assert.equal(remainingOf(await server.ask('GET', `${GENERATIONS}/${id}`, { key }), 'read', 50), 48)
      await cancel(server, id, { key })
    })
  })

  describe('the limit', () => {
    const plans: readonly (readonly [PlanName, number])[] = [
      ['free', 100],
      ['pro', 1_000],
      ['enterprise', 5_000],
    ]
    for (const [plan, limit] of plans) {
      test(`is ${limit} requests a minute in the plan ${plan}`, async () => {
        const { key } = await server.createAccount({ plan, requestsPerMinute: 'plan' })
        assert.equal(remainingOf(await server.ask('GET', GENERATIONS, { key }), 'read', limit), limit - 1)
      })
    }

    test('is met exactly by many at once, and the rest is told when to come again', async () => {
      const its = await server.createAccount({ plan: 'free', requestsPerMinute: 'plan' })
      const answers = await Promise.all(Array.from({ length: 150 }, () => badCreate(server, its)))
      assert.deepEqual(statusesOf(answers), { 400: 100, 429: 50 })
      for (const answer of answers.filter(({ status }) => status === 429)) assertLimited(answer, 'create', 100)
    })

    test('lets exactly so many creates through, and nothing is charged for the others', async () => {
      const { key } = await account(5)
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => server.ask('POST', GENERATIONS, { key, body: SLOW })),
      )
      assert.deepEqual(statusesOf(answers), { 200: 5, 429: 7 })
      const { body } = await server.ask('GET', '/api/v1/credits', { key })
      assert.deepEqual(body, { current_credits: 950 })
      // Only five reads are allowed, too; canceling is one.
      for (const answer of answers.filter(({ status }) => status === 200).slice(0, 4)) {
        await cancel(server, generationOf(answer).id, { key })
      }
    })

    test('is one for all paths and keys of an account in one mode, and none of its business for another account or mode', async () => {
      const [its, another] = [await account(3), await account(3)]
      const ask = (path: string, key: string) => server.ask('GET', path, { key })
      assert.equal(remainingOf(await ask(GENERATIONS, its.key), 'read', 3), 2)
      assert.equal(remainingOf(await ask(`/rivya${GENERATIONS}`, its.key), 'read', 3), 1)
      assert.equal(remainingOf(await ask('/openai/v1/videos', its.key), 'read', 3), 0)
      assertLimited(await ask(GENERATIONS, its.key), 'read', 3)
      assert.equal(remainingOf(await ask(GENERATIONS, its.testKey), 'read', 3), 2)
      assert.equal(remainingOf(await ask(GENERATIONS, another.key), 'read', 3), 2)
    })

    test('of creates does not touch reading, at a balance of zero either, nor the other way round', async () => {
      const its = await account(3, 0)
      const { key } = its
      for (let request = 0; request < 3; request++) {
        assert.equal((await server.ask('POST', GENERATIONS, { key, body: CHEAP })).status, 402)
      }
      assertLimited(await server.ask('POST', GENERATIONS, { key, body: CHEAP }), 'create', 3)
      for (const left of [2, 1, 0]) {
        const answer = await server.ask('GET', GENERATIONS, { key })
        assert.equal(answer.status, 200)
        assert.equal(remainingOf(answer, 'read', 3), left)
      }
      assertLimited(await server.ask('GET', GENERATIONS, { key }), 'read', 3)

      const reader = await account(1)
      assert.equal((await server.ask('GET', GENERATIONS, reader)).status, 200)
      assertLimited(await server.ask('GET', GENERATIONS, reader), 'read', 1)
      assert.equal((await badCreate(server, reader)).status, 400)
    })

    test('is changed for one account by the command line, at once, and given back to the plan', async () => {
      const made = await server.command('accounts', 'create', 'x', '--requests-per-minute', '7', '--json')
      const { key, account: its } = z
        .object({ key: z.string(), account: z.object({ id: z.string(), requests_per_minute: z.int() }) })
        .parse(JSON.parse(made.stdout))
      assert.equal(its.requests_per_minute, 7)
      const limit = async () =>
        (await server.ask('POST', GENERATIONS, { key, body: {} })).headers.get('x-ratelimit-limit')
      assert.equal(await limit(), '7')
      for (const [word, wanted] of [
        ['9', '9'],
        ['plan', '100'],
      ] as const) {
        const { stdout } = await server.command('accounts', 'update', its.id, '--requests-per-minute', word)
        assert.match(stdout, new RegExp(`, ${wanted} requests a minute\n$`))
        await waitFor('the new limit', async () => ((await limit()) === wanted ? true : undefined), {
          patienceMs: AT_ONCE_MS,
        })
      }
      const { code, stderr } = await server.command('accounts', 'update', its.id, '--requests-per-minute', '0')
      assert.equal(code, 1)
      assert.match(stderr, /--requests-per-minute cannot be "0"; allowed: a whole number from 1 to 1000000/)
    })
  })

  describe('a refusal is said in the words of', () => {
    const message = z.string().regex(/may make 1 (create|read) requests a minute; try again in \d+ s\.?$/)
    const requestId = z.string().regex(/^req_[0-9a-f]{32}$/)
    const shapes: Readonly<Record<string, z.ZodType>> = {
      rivya: z.strictObject({ error: z.strictObject({ code: z.literal('rate_limited'), message, requestId }) }),
      grokimagineapi: z.strictObject({ code: z.literal(429), message, error: z.literal('RATE_LIMITED') }),
      acedata: z.strictObject({
        success: z.literal(false),
        error: z.strictObject({ code: z.literal('too_many_requests'), message }),
        trace_id: z.string(),
      }),
      xai: z.strictObject({ code: z.string(), error: message }),
      openai: z.strictObject({
        error: z.strictObject({
          message,
          type: z.literal('rate_limit_error'),
          param: z.null(),
          code: z.literal('rate_limit_exceeded'),
        }),
      }),
    }
    for (const { id, routes } of DIALECTS) {
      test(id, async () => {
        const shape = shapes[id]
        assert.ok(shape !== undefined, `what does a 429 of ${id} look like?`)
        const { key } = await account(1)
        const kinds = new Set<string>()
        for (const { method, path, kind, scope } of routes) {
          if (scope === undefined) continue
          const limited = ['create', 'follow', 'uploadFile'].includes(kind) ? 'create' : 'read'
          const ask = () => server.ask(method, `/${id}${path.replace(/:\w+/g, 'x')}`, { key })
          if (!kinds.has(limited)) assert.notEqual((await ask()).status, 429)
          kinds.add(limited)
          const answer = await ask()
          assert.equal(answer.status, 429, `${method} ${path}: ${answer.text}`)
          shape.parse(answer.body)
          assert.equal(remainingOf(answer, limited, 1), 0)
          assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
        }
        assert.deepEqual([...kinds].sort(), ['create', 'read'])
      })
    }
  })

  test('a REDIS_URL that is none is refused at the start, in a sentence', async () => {
    const { code, stderr } = await runCli(['serve'], { REDIS_URL: 'localhost:6379' })
    assert.equal(code, 1)
    assert.match(stderr, /REDIS_URL must be an address that begins with redis:\/\/ or rediss:\/\//)
  })
})

describe('rate limits of two servers that share a Redis', { skip: redisMissing }, () => {
  let redis: TestRedis
  let database: TestDatabase
  let servers: readonly [TestServer, TestServer]
  before(async () => {
    redis = await TestRedis.start()
    database = await testDatabase()
    const key = newKeySecret('live')
    const start = () => startServer({ databaseUrl: database.url, key, env: { REDIS_URL: redis.url } })
    servers = [await start(), await start()]
  })
  after(async () => {
    for (const server of servers ?? []) await server.stop()
    await database?.[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
  })

  const freeAccount = (): Promise<TestAccount> => servers[0].createAccount({ plan: 'free', requestsPerMinute: 'plan' })

  /** 300 creates at once, of which 100 are allowed, sent to both servers in turns. */
  async function assertSharedLimit(): Promise<void> {
    const its = await freeAccount()
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => badCreate(servers[index % 2 === 0 ? 0 : 1], its)),
    )
    assert.deepEqual(statusesOf(answers), { 400: 100, 429: 200 })
    const left = answers.filter(({ status }) => status === 400).map((answer) => remainingOf(answer, 'create', 100))
    assert.deepEqual(
      left.sort((one, another) => one - another),
      Array.from({ length: 100 }, (_, index) => index),
    )
    for (const answer of answers.filter(({ status }) => status === 429)) assertLimited(answer, 'create', 100)
    assert.equal(new Set(answers.map(({ headers }) => headers.get('x-ratelimit-reset'))).size, 1)
  }

  const timesLogged = (server: TestServer, text: string): number => server.log().split(text).length - 1

  test('many at once are allowed exactly the limit', assertSharedLimit)

  test('Redis is killed and restarted in mid-run: every request is answered, and the limit is shared again', async () => {
    const busy = await servers[0].createAccount()
    let running = true
    let slowestMs = 0
    const read = async (server: TestServer): Promise<number> => {
      let answered = 0
      while (running) {
        const started = performance.now()
        const answer = await server.ask('GET', GENERATIONS, busy)
        slowestMs = Math.max(slowestMs, performance.now() - started)
        assert.equal(answer.status, 200, answer.text)
        remainingOf(answer, 'read', 1_000_000)
        answered++
      }
      return answered
    }
    const readers = [...servers, ...servers].map(read)
    const both = async (what: string, holds: (server: TestServer) => Promise<boolean> | boolean) => {
      for (const server of servers) await waitFor(what, async () => ((await holds(server)) ? true : undefined))
    }
    try {
      await redis.kill()
      await both('Redis to be missed', (server) => timesLogged(server, 'Redis is away') === 1)

      // Each server goes on by itself, with the whole limit.
      const alone = await freeAccount()
      for (const server of servers) {
        const answers = await Promise.all(Array.from({ length: 120 }, () => badCreate(server, alone)))
        assert.deepEqual(statusesOf(answers), { 400: 100, 429: 20 })
      }
      await redis.restart()
      await both('Redis to be found again', (server) => timesLogged(server, 'Redis is back') === 1)
    } finally {
      running = false
    }
    assert.ok((await Promise.all(readers)).every((answered) => answered > 0))
    assert.ok(slowestMs < NO_HANG_MS, `a request took ${slowestMs} ms`)
    await assertSharedLimit()
    for (const server of servers) assert.equal(timesLogged(server, 'Redis is away'), 1)
  })

  test('Redis hangs: nobody waits for long, and the limit is shared again when it goes on', async () => {
    const its = await freeAccount()
    const before = new Map(servers.map((server) => [server, timesLogged(server, 'Redis is away')]))
    redis.freeze()
    try {
      const started = performance.now()
      const answers = await Promise.all(servers.map((server) => badCreate(server, its)))
      assert.deepEqual(statusesOf(answers), { 400: 2 })
      assert.ok(performance.now() - started < NO_HANG_MS)
    } finally {
      redis.thaw()
    }
    for (const server of servers) {
      await waitFor('Redis to be lost and found again', () => {
        const away = timesLogged(server, 'Redis is away')
        return away > (before.get(server) ?? 0) && timesLogged(server, 'Redis is back') === away ? true : undefined
      })
    }
    await assertSharedLimit()
  })
})
