/** The life of a generation and its money, seen from outside. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import {
  assertNoFaultLogged,
  assertRefused,
  CHEAP,
  cancel,
  create,
  credits,
  generationOf,
  get,
  pageOf,
  SLOW,
  waitForStatus,
} from './rivya.ts'

const PATH = '/api/v1/generations'
const NOT_FOUND = { status: 404, code: 'not_found', says: ['no such generation'] }

describe('generations', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
  })
  after(() => server.stop())

  /** An account of one's own for each test, so that none sees another's credits or tasks. */
  function account(credits = 100): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  describe('what the sandbox prompts make', () => {
    const endings: readonly (readonly [prompt: string, message: RegExp])[] = [
      ['sandbox:fail', /failed/i],
      ['sandbox:moderated', /policy/i],
      ['sandbox:expire', /.+/],
      ['sandbox:nonsense', /sandbox:fail/],
    ]
    for (const [prompt, message] of endings) {
      test(`${prompt} fails, says why, and costs nothing`, async () => {
        const { key } = await account()
        const { id } = await create(server, { ...CHEAP, prompt }, { key })
        assert.equal(await credits(server, { key }), 90)
        const ended = await waitForStatus(server, id, ['failed', 'succeeded', 'canceled'], { key })
        assert.equal(ended.status, 'failed')
        assert.equal(ended.error?.code, 'generation_failed')
        assert.match(ended.error?.message ?? '', message)
        assert.deepEqual([ended.final_credits, ended.reserved_credits, ended.result], [0, 10, null])
        assert.equal(await credits(server, { key }), 100)
      })
    }

    test('sandbox:slow=2 takes two seconds longer, with progress', async () => {
      const { key } = await account()
      const started = Date.now()
      const { id } = await create(server, { ...CHEAP, prompt: 'sandbox:fail sandbox:slow=2' }, { key })
      await waitForStatus(server, id, ['processing'], { key })
      await waitForStatus(server, id, ['failed'], { key })
      assert.ok(Date.now() - started >= 2_000)
    })
  })

  describe('cancel', () => {
    test('ends a running generation, and returns its credits', async () => {
      const { key } = await account()
      const { id } = await create(server, SLOW, { key })
      await waitForStatus(server, id, ['processing'], { key })
      const canceled = await cancel(server, id, { key })
      assert.deepEqual(
        [canceled.status, canceled.final_credits, canceled.result, canceled.error],
        ['canceled', 0, null, null],
      )
      assert.equal(await credits(server, { key }), 100)
      assert.deepEqual(await get(server, id, { key }), canceled)
    })

    test('ends a queued generation at once, tells its place before, and moves up those behind', async () => {
      const free = await server.createAccount({ credits: 100, plan: 'free' })
      const { key } = free
      const running = [await create(server, SLOW, { key }), await create(server, SLOW, { key })]
      for (const { id } of running) await waitForStatus(server, id, ['processing'], { key })
      const [first, second] = [await create(server, SLOW, { key }), await create(server, SLOW, { key })]
      assert.equal((await server.ask('GET', `${PATH}/${first.id}`, { key })).headers.get('queue-position'), '0')
      assert.equal((await server.ask('GET', `${PATH}/${second.id}`, { key })).headers.get('queue-position'), '1')
      assert.equal((await cancel(server, first.id, { key })).status, 'canceled')
      assert.equal((await server.ask('GET', `${PATH}/${second.id}`, { key })).headers.get('queue-position'), '0')
      for (const { id } of [...running, second]) await cancel(server, id, { key })
      assert.equal(await credits(server, { key }), 100)
    })

    test('twice is once', async () => {
      const { key } = await account()
      const { id } = await create(server, SLOW, { key })
      const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(server, id, { key })))
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set(['canceled']))
      assert.equal((await cancel(server, id, { key })).status, 'canceled')
      assert.equal(await credits(server, { key }), 100)
    })

    test('refuses when the generation has failed, and says so', async () => {
      const { key } = await account()
      const { id } = await create(server, CHEAP, { key })
      await waitForStatus(server, id, ['failed'], { key })
      assertRefused(await server.ask('POST', `${PATH}/${id}/cancel`, { key }), {
        status: 409,
        code: 'validation_failed',
        says: ['failed', 'cannot be canceled'],
      })
      assert.equal(await credits(server, { key }), 100)
    })
  })

  describe('Idempotency-Key', () => {
    const headers = { 'idempotency-key': 'order-7' }

    test('answers the same key and body with the same bytes, marked as a replay, and holds once', async () => {
      const { key } = await account()
      const first = await server.ask('POST', PATH, { key, headers, body: CHEAP })
      assert.equal(first.headers.get('idempotent-replayed'), null)
      const { id } = generationOf(first)
      await waitForStatus(server, id, ['failed'], { key })
      const again = await server.ask('POST', PATH, { key, headers, body: CHEAP })
      assert.equal(again.text, first.text, 'even when the generation has ended meanwhile')
      assert.equal(again.status, first.status)
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assert.equal(pageOf(await server.ask('GET', PATH, { key })).data.length, 1)
      assert.equal(await credits(server, { key }), 100)
    })

    test('does not mind the order of the keys, at any depth, nor white space', async () => {
      const { key } = await account()
      const params = { mode: 'fun', duration: 6 }
      const first = await server.ask('POST', PATH, { key, headers, body: { ...CHEAP, params } })
      const body = `{ "params" : {"duration":6,\n"mode":"fun"}, "prompt":"sandbox:fail", "model":"grok-imagine-video"}`
      const again = await server.ask('POST', PATH, { key, headers, body })
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assert.equal(again.text, first.text)
    })

    test('replays below /rivya what was made at the native path', async () => {
      const { key } = await account()
      const first = await server.ask('POST', PATH, { key, headers, body: CHEAP })
      const again = await server.ask('POST', `/rivya${PATH}`, { key, headers, body: CHEAP })
      assert.equal(again.text, first.text)
    })

    test('refuses another body with 409, and reserves nothing for it', async () => {
      const { key } = await account()
      const { id } = await create(server, SLOW, { key, headers })
      for (const body of [
        { ...SLOW, prompt: 'sea' },
        { ...SLOW, params: {} },
        { ...SLOW, client_request_id: 'x' },
      ]) {
        assertRefused(await server.ask('POST', PATH, { key, headers, body }), {
          status: 409,
          code: 'idempotency_conflict',
          says: ['Idempotency-Key'],
        })
      }
      assert.equal(await credits(server, { key }), 90)
      await cancel(server, id, { key })
    })

    test('makes one task and one hold of 20 creates at once', async () => {
      const { key } = await account()
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => server.ask('POST', PATH, { key, headers, body: SLOW })),
      )
      const texts = new Set(answers.map(({ text }) => text))
      assert.equal(texts.size, 1, [...texts].join('\n'))
      const replays = answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')
      assert.equal(replays.length, 19)
      assert.equal(await credits(server, { key }), 90)
      const { data } = pageOf(await server.ask('GET', PATH, { key }))
      assert.equal(data.length, 1)
      await cancel(server, data[0]?.id ?? '', { key })
      assert.equal(await credits(server, { key }), 100)
    })

    test('belongs to one account: another’s same key makes a task of its own', async () => {
      const [one, other] = [await account(), await account()]
      const first = await create(server, CHEAP, { key: one.key, headers })
      const second = await create(server, CHEAP, { key: other.key, headers })
      assert.notEqual(first.id, second.id)
    })

    test('is not used up by a refused request', async () => {
      const { key } = await account(0)
      const refused = await server.ask('POST', PATH, { key, headers, body: CHEAP })
      assertRefused(refused, { status: 402, code: 'insufficient_credits', says: ['costs 10', '0 are available'] })
      const bad = await server.ask('POST', PATH, { key, headers, body: { ...CHEAP, params: { duration: 5 } } })
      assert.equal(bad.status, 400)
      const again = await server.ask('POST', PATH, { key, headers, body: { ...CHEAP, prompt: 'another' } })
      assert.equal(again.status, 402, 'no conflict: nothing was made under the key')
    })
  })

  describe('list', () => {
    test('gives pages, newest first, that together hold every generation once', async () => {
      const { key } = await account()
      const made: string[] = []
      for (let count = 0; count < 5; count++) made.unshift((await create(server, CHEAP, { key })).id)
      const read: string[] = []
      let query = '?limit=2'
      for (let page = 0; page < 3; page++) {
        const { data, next_cursor } = pageOf(await server.ask('GET', `${PATH}${query}`, { key }))
        read.push(...data.map(({ id }) => id))
        assert.equal(next_cursor === null, page === 2)
        query = `?limit=2&cursor=${next_cursor}`
      }
      assert.deepEqual(read, made)
      const whole = pageOf(await server.ask('GET', `/rivya${PATH}?limit=5`, { key }))
      assert.deepEqual([whole.data.length, whole.next_cursor], [5, null], 'a page that is just full has no next')
    })

    test('gives 20 at most unless asked for more', async () => {
      const { key } = await account(210)
      await Promise.all(Array.from({ length: 21 }, () => create(server, CHEAP, { key })))
      const { data, next_cursor } = pageOf(await server.ask('GET', PATH, { key }))
      assert.equal(data.length, 20)
      assert.equal(next_cursor, data.at(-1)?.id)
      assert.equal(pageOf(await server.ask('GET', `${PATH}?limit=100`, { key })).data.length, 21)
    })

    test('filters by status, with the words of the answers', async () => {
      const { key } = await account()
      const failed = await create(server, CHEAP, { key })
      const expired = await create(server, { ...CHEAP, prompt: 'sandbox:expire' }, { key })
      const running = await create(server, SLOW, { key })
      const canceled = await create(server, SLOW, { key })
      await cancel(server, canceled.id, { key })
      await waitForStatus(server, failed.id, ['failed'], { key })
      await waitForStatus(server, expired.id, ['failed'], { key })
      await waitForStatus(server, running.id, ['processing'], { key })
      const expected: Readonly<Record<string, string[]>> = {
        queued: [],
        processing: [running.id],
        succeeded: [],
        failed: [expired.id, failed.id],
        canceled: [canceled.id],
      }
      for (const [status, ids] of Object.entries(expected)) {
        const { data } = pageOf(await server.ask('GET', `${PATH}?status=${status}`, { key }))
        assert.deepEqual(
          data.map(({ id }) => id),
          ids,
          status,
        )
        assert.ok(data.every((generation) => generation.status === status))
      }
      await cancel(server, running.id, { key })
    })
  })

  describe('whose a generation is', () => {
    test('another account’s is not found, and stays as it is', async () => {
      const [owner, stranger] = [await account(), await account()]
      const { id } = await create(server, SLOW, { key: owner.key })
      const { key } = stranger
      assertRefused(await server.ask('GET', `${PATH}/${id}`, { key }), NOT_FOUND)
      assertRefused(await server.ask('POST', `${PATH}/${id}/cancel`, { key }), NOT_FOUND)
      assert.deepEqual(pageOf(await server.ask('GET', PATH, { key })).data, [])
      const page = pageOf(await server.ask('GET', `${PATH}?cursor=${id}`, { key }))
      assert.deepEqual(page.data, [], 'nor does its id as a cursor show anything')
      assert.notEqual((await get(server, id, { key: owner.key })).status, 'canceled')
      await cancel(server, id, { key: owner.key })
    })

    test('a test key spends test credits, and sees no live generation; and the other way round', async () => {
      const { key, testKey } = await account(50)
      const testCredits = await credits(server, { key: testKey })
      const test = await create(server, SLOW, { key: testKey })
      const live = await create(server, SLOW, { key })
      assert.equal(await credits(server, { key: testKey }), testCredits - 10)
      assert.equal(await credits(server, { key }), 40)
      for (const [mine, own, theirs] of [
        [testKey, test.id, live.id],
        [key, live.id, test.id],
      ] as const) {
        assertRefused(await server.ask('GET', `${PATH}/${theirs}`, { key: mine }), NOT_FOUND)
        assertRefused(await server.ask('POST', `${PATH}/${theirs}/cancel`, { key: mine }), NOT_FOUND)
        const { data } = pageOf(await server.ask('GET', PATH, { key: mine }))
        assert.deepEqual(
          data.map(({ id }) => id),
          [own],
        )
        await cancel(server, own, { key: mine })
      }
    })
  })

  describe('the balance', () => {
    test('of 75 admits exactly 7 of 50 creates at once, and never goes below zero', async () => {
      const { key } = await account(75)
      const answers = await Promise.all(Array.from({ length: 50 }, () => server.ask('POST', PATH, { key, body: SLOW })))
      const admitted = answers.filter(({ status }) => status === 200)
      assert.equal(admitted.length, 7)
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        assertRefused(answer, { status: 402, code: 'insufficient_credits', says: ['costs 10', '5 are available'] })
      }
      assert.equal(await credits(server, { key }), 5)
      await Promise.all(admitted.map((answer) => cancel(server, generationOf(answer).id, { key })))
      assert.equal(await credits(server, { key }), 75)
    })

    test('at zero still lets one read, list and cancel', async () => {
      const { key } = await account(10)
      const { id } = await create(server, SLOW, { key })
      assert.equal(await credits(server, { key }), 0)
      const refused = await server.ask('POST', PATH, { key, body: CHEAP })
      assertRefused(refused, { status: 402, code: 'insufficient_credits', says: ['0 are available'] })
      assert.equal((await get(server, id, { key })).id, id)
      assert.equal(pageOf(await server.ask('GET', PATH, { key })).data.length, 1)
      assert.equal((await cancel(server, id, { key })).status, 'canceled')
    })
  })

  test('logged no failure of its own for any of it', () => {
    assertNoFaultLogged(server)
  })
})
