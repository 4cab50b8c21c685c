/** The Russian page of AceData Cloud's Grok videos, field by field: sync and async answers, tasks, refusals. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createKey } from '../../src/accounts/create-key.ts'
import { parseId } from '../../src/canonical/ids.ts'
import type { Scope } from '../../src/canonical/scopes.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import {
  assertRefused,
  cancel,
  createAsync,
  failedOf,
  retrieve,
  retrieveBatch,
  SHORT,
  SLOW,
  succeededOf,
  waitForResponse,
} from './acedata.ts'
import { download, readVideoFile } from './video-file.ts'

/** The page's example, without its images, which have tests of their own, and without what makes it answer at once. */
const EXAMPLE = {
  prompt: 'A cinematic shot of a kitten chasing a butterfly in a sunlit garden',
  model: 'grok-imagine-video',
  aspect_ratio: '16:9',
  resolution: '480p',
  duration: 8,
}
const NOWHERE = '01990000-0000-7000-8000-000000000000'

describe('AceData', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({
      env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: '127.0.0.0/8' },
    })
  })
  after(() => server.stop())

  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  async function creditsOf(key: string): Promise<number> {
    const answer = await server.ask('GET', '/rivya/api/v1/credits', { key })
    return JSON.parse(answer.text).current_credits
  }

  describe('the sync answer', () => {
    test('comes when the video is there, with every field of the page', async () => {
      const { key } = await account()
      const answer = await server.ask('POST', '/grok/videos', { key, body: { ...EXAMPLE, duration: 1 } })
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
      assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['success', 'task_id', 'trace_id', 'data'])
      const { task_id, trace_id, data } = succeededOf(answer)
      assert.equal(data[0].id, `grok-imagine-video:${task_id}`)
      assert.equal(`req_${trace_id.replaceAll('-', '')}`, answer.headers.get('x-request-id'))
      const file = await readVideoFile(await download(data[0].video_url))
      assert.deepEqual([file.width, file.height, file.durationSeconds], [854, 480, 1])
      assert.equal(await creditsOf(key), 995, 'one second at 5 credits')

      const task = await retrieve(server, task_id, { key })
      assert.deepEqual(task.response, succeededOf(answer), 'what is polled is what was answered')
    })

    test('names its trace in the log', async () => {
      const { trace } = await createAsync(server, { prompt: 'sandbox:fail' })
      await waitFor('the trace to be logged', () => server.log().includes(`"traceId":"${trace}"`) || undefined)
    })

    const failures: readonly (readonly [prompt: string, status: number, code: string, message: RegExp])[] = [
      ['sandbox:fail', 500, 'api_error', /failed/],
      ['sandbox:moderated', 403, 'forbidden', /policy/],
      ['sandbox:expire', 500, 'api_error', /took too long/],
      ['sandbox:nonsense', 400, 'bad_request', /sandbox:fail/],
    ]
    for (const [prompt, status, code, message] of failures) {
      test(`says how ${prompt} ended, with its HTTP status, and charges nothing`, async () => {
        const { key } = await account()
        const answer = await server.ask('POST', '/grok/videos', { key, body: { prompt } })
        const failed = failedOf(answer, status)
        assert.equal(failed.error.code, code)
        assert.match(failed.error.message, message)
        assert.deepEqual((await retrieve(server, failed.task_id, { key })).response, failed)
        assert.equal(await creditsOf(key), 1_000)
      })
    }
  })

  describe('the async answer', () => {
    test('comes at once, and the task can be retrieved until its response is there', async () => {
      const { key } = await account()
      const { id, trace } = await createAsync(server, SHORT, { key })
      const early = await retrieve(server, id, { key })
      assert.deepEqual([early.response, early.finished_at], [undefined, undefined])
      assert.equal(await creditsOf(key), 995)
      const task = await waitForResponse(server, id, { key })
      assert.deepEqual(Object.keys(task), [
        'id',
        'request',
        'type',
        'response',
        'created_at',
        'finished_at',
        'trace_id',
      ])
      assert.deepEqual([task.id, task.trace_id], [id, trace])
      assert.deepEqual(task.request, { ...SHORT, async: true }, 'the original body')
      assert.ok(task.response?.success)
      assert.ok(Math.abs(task.created_at - Date.now() / 1_000) < 60, `${task.created_at}`)
      assert.ok((task.finished_at ?? 0) > task.created_at)
    })

    test('comes at once also with a callback, and wins over NDJSON', async () => {
      const headers = { accept: 'application/x-ndjson' }
      const body = { prompt: 'sandbox:fail', callback_url: 'http://127.0.0.1:9/callback' }
      const withCallback = await server.ask('POST', '/grok/videos', { body })
      assert.deepEqual(Object.keys(JSON.parse(withCallback.text)), ['success', 'task_id', 'trace_id'])
      const answer = await server.ask('POST', '/grok/videos', { headers, body: { ...SLOW, prompt: 'sandbox:fail' } })
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
      assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['success', 'task_id', 'trace_id'])
    })

    test('Prefer: wait holds a retrieve back until the next change', async () => {
      const { id } = await createAsync(server, { prompt: 'sandbox:fail' })
      const headers = { prefer: 'wait=20' }
      let reads = 0
      while ((await retrieve(server, id, { headers })).response === undefined && ++reads < 20);
      assert.ok(reads < 20, `${reads} reads`)
    })
  })

  describe('what can be asked for', () => {
    const prices: readonly (readonly [body: object, credits: number])[] = [
      [{}, 40],
      [{ duration: 1 }, 5],
      [{ duration: 15 }, 75],
      [{ duration: 15, resolution: '720p' }, 105],
      [{ resolution: '720p' }, 56],
      ...['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3'].map((aspect_ratio) => [{ aspect_ratio }, 40] as const),
    ]
    for (const [body, credits] of prices) {
      test(`${JSON.stringify(body)} costs ${credits} credits`, async () => {
        const { key } = await account()
        const { id } = await createAsync(server, { ...SLOW, ...body }, { key })
        assert.equal(await creditsOf(key), 1_000 - credits)
        await cancel(server, id, { key })
      })
    }

    test('is 16:9 when no ratio is named', async () => {
      const answer = await server.ask('POST', '/acedata/grok/videos', { body: { ...SHORT, aspect_ratio: undefined } })
      const file = await readVideoFile(await download(succeededOf(answer).data[0].video_url))
      assert.deepEqual([file.width, file.height], [854, 480])
    })
  })

  describe('bad input of /grok/videos', () => {
    const bodies: readonly (readonly [name: string, body: unknown, message: string | RegExp])[] = [
      ['no body', undefined, /^body is required/],
      ['broken JSON', '{"prompt', /^The body is not valid JSON/],
      ['no prompt', {}, 'prompt is required for text-to-video.'],
      ['an empty prompt', { prompt: '' }, /^prompt is empty; allowed: 1 to 5000 characters/],
      ['a prompt that is too long', { prompt: 'x'.repeat(5_001) }, /^prompt has 5001 characters/],
      [
        'an unknown model',
        { ...EXAMPLE, model: 'sora-2' },
        /^model cannot be "sora-2"; allowed: one of grok-imagine-vi/,
      ],
      [
        '1.5 without an image',
        { ...EXAMPLE, model: 'grok-imagine-video-1.5-preview' },
        'image_url is required for grok-imagine-video-1.5-preview.',
      ],
      ['an image that is a list', { ...EXAMPLE, image_url: [] }, /^image_url cannot be \[\]; allowed: a text/],
      ['one reference image', { ...EXAMPLE, reference_image_urls: 'x' }, /^reference_image_urls cannot be "x".*a list/],
      [
        'an unknown ratio',
        { ...EXAMPLE, aspect_ratio: '21:9' },
        /^aspect_ratio cannot be "21:9"; allowed: one of 1:1, /,
      ],
      ['1080p', { ...EXAMPLE, resolution: '1080p' }, 'resolution cannot be "1080p"; allowed: one of 480p, 720p.'],
      ['0 seconds', { ...EXAMPLE, duration: 0 }, /^duration cannot be 0; allowed: a number from 1 to 15/],
      ['16 seconds', { ...EXAMPLE, duration: 16 }, /^duration cannot be 16; allowed: a number from 1 to 15/],
      ['half a second', { ...EXAMPLE, duration: 1.5 }, /^duration cannot be 1\.5; allowed: a number from 1 to 15/],
      ['a duration as text', { ...EXAMPLE, duration: '8' }, /^duration cannot be "8"; allowed: a number/],
      ['async as text', { ...EXAMPLE, async: 'true' }, /^async cannot be "true"; allowed: a boolean/],
      ['a callback that is no text', { ...EXAMPLE, callback_url: 7 }, /^callback_url cannot be 7/],
      [
        'a callback with half a surrogate pair',
        '{"prompt":"sea","callback_url":"https://cdn.acedata.cloud/\\ud800"}',
        /^callback_url cannot be .*; allowed: a text of valid Unicode/,
      ],
      [
        'an unknown key',
        { ...EXAMPLE, seed: 7 },
        /^seed cannot be used: the key is unknown; allowed keys: prompt, model/,
      ],
    ]
    for (const [name, body, message] of bodies) {
      test(`${name} is refused`, async () => {
        const answer = await server.ask('POST', '/grok/videos', { body })
        assertRefused(answer, { status: 400, code: 'bad_request', message })
      })
    }

    test('an accept that names neither format is refused before anything is made', async () => {
      const { key } = await account(0)
      for (const body of [EXAMPLE, SLOW]) {
        const answer = await server.ask('POST', '/grok/videos', { key, body, headers: { accept: 'text/html' } })
        assertRefused(answer, {
          status: 400,
          code: 'bad_request',
          message: 'The header Accept cannot be "text/html"; allowed: application/json or application/x-ndjson.',
        })
      }
    })

    test('more than the balance is used_up, in every manner of answer', async () => {
      const { key } = await account(39)
      for (const headers of [{}, { accept: 'application/x-ndjson' }]) {
        for (const body of [EXAMPLE, { ...EXAMPLE, async: true }]) {
          assertRefused(await server.ask('POST', '/grok/videos', { key, body, headers }), {
            status: 403,
            code: 'used_up',
            message: 'This generation costs 40 credits; 39 are available.',
          })
        }
      }
    })

    test('another method, path, or type of body is refused in the same form', async () => {
      assertRefused(await server.ask('GET', '/grok/videos'), {
        status: 405,
        code: 'api_not_implemented',
        message: /allowed: POST/,
      })
      assertRefused(await server.ask('POST', '/grok/images', { body: {} }), {
        status: 404,
        code: 'not_found',
        message: /There is no POST/,
      })
      assertRefused(
        await server.ask('POST', '/grok/videos', { body: 'x', headers: { 'content-type': 'text/plain' } }),
        { status: 415, code: 'bad_request', message: /must be JSON/ },
      )
    })
  })

  describe('bad input of /grok/tasks', () => {
    const bodies: readonly (readonly [name: string, body: unknown, message: string | RegExp])[] = [
      ['neither id nor ids', {}, 'id is required for retrieve.'],
      ['a batch without ids', { action: 'retrieve_batch' }, 'ids is required for retrieve_batch.'],
      ['id and ids', { id: NOWHERE, ids: [NOWHERE] }, /^ids cannot be .*; allowed: id with retrieve, ids with/],
      [
        'id and ids of a batch',
        { action: 'retrieve_batch', id: NOWHERE, ids: [NOWHERE] },
        /^id cannot be .*allowed: id/,
      ],
      ['ids without their action', { ids: [NOWHERE] }, /^ids cannot be/],
      ['no ids at all', { action: 'retrieve_batch', ids: [] }, 'ids has 0 ids; allowed: 1 to 100 ids.'],
      [
        'more than 100 ids',
        { action: 'retrieve_batch', ids: Array.from({ length: 101 }, () => NOWHERE) },
        'ids has 101 ids; allowed: 1 to 100 ids.',
      ],
      [
        'an unknown action',
        { action: 'delete', id: NOWHERE },
        /^action cannot be "delete"; allowed: one of retrieve, ret/,
      ],
      ['a number as id', { id: 7 }, 'id cannot be 7; allowed: a text.'],
      ['an unknown key', { id: NOWHERE, trace_id: NOWHERE }, /^trace_id cannot be used: the key is unknown/],
    ]
    for (const [name, body, message] of bodies) {
      test(`${name} is refused`, async () => {
        const answer = await server.ask('POST', '/grok/tasks', { body })
        assertRefused(answer, { status: 400, code: 'bad_request', message })
      })
    }

    test('an id that names nothing is not found', async () => {
      for (const id of [NOWHERE, 'b8976e18', '']) {
        assertRefused(await server.ask('POST', '/grok/tasks', { body: { id } }), {
          status: 404,
          code: 'not_found',
          message: 'There is no such generation.',
        })
      }
    })
  })

  describe('retrieve_batch', () => {
    test('gives the tasks that there are, in the order asked for', async () => {
      const { key } = await account()
      const made = [
        (await createAsync(server, SLOW, { key })).id,
        (await createAsync(server, { prompt: 'sandbox:fail' }, { key })).id,
      ]
      await waitForResponse(server, made[1] ?? '', { key })
      const ids = [made[1] ?? '', NOWHERE, 'nonsense', made[0] ?? '']
      const items = await retrieveBatch(server, ids, { key })
      assert.deepEqual(
        items.map(({ id, response }) => [id, response?.success]),
        [
          [made[1], false],
          [made[0], undefined],
        ],
      )
      const stranger = await account()
      assert.deepEqual(await retrieveBatch(server, made, { key: stranger.key }), [])
      await cancel(server, made[0] ?? '', { key })
    })

    test('takes 100 ids', async () => {
      assert.deepEqual(
        await retrieveBatch(
          server,
          Array.from({ length: 100 }, () => NOWHERE),
        ),
        [],
      )
    })
  })

  describe('whose a task is', () => {
    const ROUTES: readonly (readonly [path: string, body: object, scope: Scope])[] = [
      ['/grok/videos', EXAMPLE, 'generations:create'],
      ['/grok/tasks', { id: NOWHERE }, 'generations:read'],
    ]

    async function keyOf(scopes: readonly Scope[], ends?: 'revoked' | 'expired'): Promise<string> {
      const { accountId } = await account()
      return server.withDatabase(async (pool) => {
        const id = parseId('acct', accountId)
        assert.ok(id)
        const wanted = { account: id, mode: 'live', name: 'tests', scopes, expiresInDays: 1 } as const
        const { key, secret } = await createKey(pool, wanted)
        const past = "now() - interval '1 second'"
        if (ends !== undefined) {
          const column = ends === 'revoked' ? 'revoked_at' : 'expires_at'
          await pool.query(`update api_keys set ${column} = ${past} where id = $1`, [key.id.slice('key_'.length)])
        }
        return secret
      })
    }

    test('no key, a wrong, revoked or expired one, and one without the scope are refused on each route', async () => {
      const both: readonly Scope[] = ['generations:create', 'generations:read']
      const [revoked, expired] = [await keyOf(both, 'revoked'), await keyOf(both, 'expired')]
      for (const [path, body, scope] of ROUTES) {
        const other = await keyOf(both.filter((each) => each !== scope))
        const refusals: readonly (readonly [string | null, number, string, RegExp])[] = [
          [null, 401, 'no_token', /No API key/],
          [`rly_live_${'a'.repeat(32)}`, 401, 'invalid_token', /not valid/],
          [revoked, 401, 'invalid_token', /revoked/],
          [expired, 401, 'token_expired', /expired/],
          [other, 403, 'forbidden', new RegExp(`lacks the scope ${scope}`)],
        ]
        for (const [key, status, code, message] of refusals) {
          assertRefused(await server.ask('POST', path, { key, body }), { status, code, message })
        }
      }
    })

    test('another account’s is not found', async () => {
      const [owner, stranger] = [await account(), await account()]
      const { id } = await createAsync(server, SLOW, { key: owner.key })
      for (const key of [stranger.key, owner.testKey]) {
        assertRefused(await server.ask('POST', '/grok/tasks', { key, body: { id } }), {
          status: 404,
          code: 'not_found',
          message: 'There is no such generation.',
        })
      }
      await cancel(server, id, { key: owner.key })
    })
  })

  describe('beside the other dialects', () => {
    test('a task of Rivya is read in AceData’s words, and one of AceData in the others’', async () => {
      const { key } = await account()
      const body = { model: 'grok-imagine-video', prompt: 'sandbox:moderated', params: { aspect_ratio: '9:16' } }
      const made = await server.ask('POST', '/api/v1/generations', { key, body })
      const rivyaId: string = JSON.parse(made.text).id
      const task = await waitForResponse(server, rivyaId, { key })
      assert.equal(`task_${task.id.replaceAll('-', '')}`, rivyaId)
      assert.deepEqual(task.request, {
        prompt: 'sandbox:moderated',
        model: 'grok-imagine-video',
        aspect_ratio: '9:16',
        resolution: '480p',
        duration: 6,
      })
      assert.ok(task.response?.success === false)
      assert.equal(task.response.error.code, 'forbidden')
      assert.equal((await retrieve(server, task.id, { key })).id, task.id, 'by either form of the id')

      const { id } = await createAsync(server, SHORT, { key })
      const ended = await waitForResponse(server, id, { key })
      assert.ok(ended.response?.success)
      const rivya = await server.ask('GET', `/api/v1/generations/${id}`, { key })
      assert.equal(JSON.parse(rivya.text).status, 'succeeded')
      const status = await server.ask('GET', `/v1/status?task_id=${id}`, { key })
      const { data } = JSON.parse(status.text)
      assert.deepEqual([data.consumed_credits, data.status, data.response.length], [5, 'completed', 1])
      assert.deepEqual(data.request, { mode: 'normal', prompt: SHORT.prompt, ratio: '1:1' })
    })
  })

  describe('Idempotency-Key', () => {
    const headers = { 'idempotency-key': 'order-7' }

    test('makes one task of a sync create and its repetition, which waits for the same video', async () => {
      const { key } = await account()
      const both = await Promise.all([
        server.ask('POST', '/grok/videos', { key, headers, body: SHORT }),
        server.ask('POST', '/grok/videos', { key, headers, body: SHORT }),
      ])
      assert.deepEqual(succeededOf(both[0]).task_id, succeededOf(both[1]).task_id)
      const again = await server.ask('POST', '/grok/videos', { key, headers, body: SHORT })
      assert.deepEqual(succeededOf(again), succeededOf(both[0]))
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assert.equal(await creditsOf(key), 995)
      assertRefused(await server.ask('POST', '/grok/videos', { key, headers, body: EXAMPLE }), {
        status: 409,
        code: 'conflict',
        message: /Idempotency-Key/,
      })
    })
  })

  test('logged no failure of its own for any of it', () => {
    const faults = server
      .log()
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(faults, [])
  })
})
