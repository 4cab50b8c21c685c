import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newId } from '../../canonical/ids.ts'
import type { JsonObject } from '../../canonical/json.ts'
import { invalidField, REFUSAL_CODES, Refusal } from '../../canonical/refusal.ts'
import type { Task, TaskMedia } from '../../canonical/task.ts'
import { TASK_STATES } from '../../canonical/task-state.ts'
import type { RenderContext, WireRequest } from '../dialect.ts'
import { renderRefusal } from './errors.ts'
import { parseCreate, parseList, parseUpload } from './parse.ts'
import { renderCreated, renderTask } from './render.ts'

const NOW = new Date('2026-05-11T00:00:00.000Z')
const LATER = new Date('2026-05-11T00:01:00.000Z')
const REQUEST_ID = newId('req')
const CONTEXT: RenderContext = {
  requestId: REQUEST_ID,
  urlOf: ({ mimeType }) => `https://example.com/${mimeType.split('/')[0]}`,
}

const VIDEO: TaskMedia = {
  id: newId('med'),
  kind: 'video',
  mimeType: 'video/mp4',
  sizeBytes: 1,
  width: 480,
  height: 720,
  durationSeconds: 6,
  expiresAt: LATER,
  deletedAt: undefined,
}

const TASK: Task = {
  id: newId('task'),
  dialect: 'rivya',
  model: 'grok-imagine-video',
  provider: 'animatic',
  request: {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'sea',
    durationSeconds: 6,
    resolution: '480p',
    aspectRatio: '2:3',
    mode: 'normal',
    seed: 1,
  },
  body: {},
  clientRequestId: 'mine',
  traceId: REQUEST_ID,
  state: 'queued',
  progress: 0,
  priceCredits: 10n,
  finalCredits: 0n,
  failure: undefined,
  media: [],
  cancelRequested: false,
  queuePosition: undefined,
  createdAt: NOW,
  updatedAt: NOW,
  finishedAt: undefined,
}

const REQUEST: WireRequest = { params: {}, query: {}, headers: {}, body: { model: 'm', prompt: 'sea' } }

describe('the Rivya dialect', () => {
  test('writes a new task exactly as the page shows it', () => {
    const { status, headers, body } = renderCreated({ task: TASK, replayed: false }, CONTEXT)
    assert.deepEqual([status, headers], [200, undefined])
    assert.equal(
      JSON.stringify(body),
      `{"id":"${TASK.id}","status":"queued","model":"grok-imagine-video","reserved_credits":10,"final_credits":0,` +
        '"created_at":"2026-05-11T00:00:00.000Z","updated_at":"2026-05-11T00:00:00.000Z","result":null,"error":null}',
    )
  })

  test('replays a create to the letter, whatever has become of the task', () => {
    const first = renderCreated({ task: TASK, replayed: false }, CONTEXT)
    for (const state of TASK_STATES) {
      const now: Task = {
        ...TASK,
        state,
        progress: 100,
        finalCredits: 10n,
        failure: { reason: 'internal', message: 'x' },
        media: [VIDEO],
        updatedAt: LATER,
        finishedAt: LATER,
      }
      const replayed = renderCreated({ task: now, replayed: true }, CONTEXT)
      assert.deepEqual(replayed.body, first.body)
      assert.deepEqual(replayed.headers, { 'idempotent-replayed': 'true' })
    }
  })

  test('has a documented word for every state', () => {
    const words = TASK_STATES.map(
      (state) => JSON.stringify(renderTask({ ...TASK, state }, CONTEXT).body).match(/"status":"(\w+)"/)?.[1],
    )
    assert.deepEqual(words, [
      'queued',
      'processing',
      'processing',
      'processing',
      'succeeded',
      'failed',
      'canceled',
      'failed',
    ])
  })

  test('gives the links of a video, and none of a poster or a manifest', () => {
    const media = [VIDEO, { ...VIDEO, kind: 'poster' as const }, { ...VIDEO, kind: 'manifest' as const }]
    const { body } = renderTask({ ...TASK, state: 'succeeded', finalCredits: 10n, media }, CONTEXT)
    assert.match(
      JSON.stringify(body),
      /"result":\{"primary_url":"https:\/\/example.com\/video","urls":\["https:\/\/example.com\/video"\]\},"error":null/,
    )
  })

  test('says of a video that retention has deleted that it is gone, and since when', () => {
    const media = [{ ...VIDEO, deletedAt: LATER }]
    const { body } = renderTask({ ...TASK, state: 'succeeded', finalCredits: 10n, media }, CONTEXT)
    assert.match(
      JSON.stringify(body),
      /"result":null,"error":\{"code":"result_expired","message":"[^"]*2026-05-11T00:01/,
    )
  })

  test('tells progress and place in the queue in headers', () => {
    assert.deepEqual(renderTask({ ...TASK, queuePosition: 0 }, CONTEXT).headers, {
      'generation-progress': '0',
      'queue-position': '0',
    })
    assert.deepEqual(renderTask({ ...TASK, state: 'running', progress: 41 }, CONTEXT).headers, {
      'generation-progress': '41',
    })
  })

  test('has a status and a documented code for every refusal, and shows nothing but its sentence', () => {
    const documented = new Set([
      ...['public_api_disabled', 'api_key_missing', 'api_key_invalid', 'api_key_revoked', 'api_key_expired'],
      ...['api_scope_denied', 'insufficient_credits', 'rate_limited', 'validation_failed', 'not_found'],
      ...['idempotency_conflict', 'webhook_url_rejected', 'internal_error'],
    ])
    for (const code of REFUSAL_CODES) {
      const refusal = new Refusal(code, 'A sentence.', { cause: new Error('hidden') })
      const { status, body } = renderRefusal(refusal, { requestId: REQUEST_ID })
      const word = JSON.stringify(body).match(/"code":"(\w+)"/)?.[1] ?? ''
      assert.ok(documented.has(word), word)
      assert.ok(status >= 400 && status < 600)
      assert.deepEqual(body, { error: { code: word, message: 'A sentence.', requestId: REQUEST_ID } })
    }
    assert.equal(renderRefusal(invalidField({ field: 'x', allowed: 'y' }), { requestId: REQUEST_ID }).status, 400)
  })

  test('reads a create, keeps every key of params as it was written, and adds nothing', () => {
    const params = { Duration: '5', aspectRatio: 1, nested: { a: [null] } }
    const headers = { 'idempotency-key': 'k' }
    assert.deepEqual(parseCreate({ ...REQUEST, headers, body: { model: 'm', prompt: ' sea ', params } }), {
      model: 'm',
      prompt: ' sea ',
      references: [],
      params,
      paramsPath: 'params.',
      clientRequestId: undefined,
      idempotencyKey: 'k',
    })
    assert.deepEqual(parseCreate(REQUEST).params, {})
  })

  test('refuses an Idempotency-Key that came twice', () => {
    const headers = { 'idempotency-key': ['a', 'b'] }
    assert.throws(() => parseCreate({ ...REQUEST, headers }), /Idempotency-Key is not valid/)
  })

  test('says of an upload without its file, or with a text in its place, that it wants a file', () => {
    const upload = (form: JsonObject) => () => parseUpload({ ...REQUEST, body: { kind: 'image', ...form } })
    assert.throws(upload({}), /^Refusal: file is required; allowed: a file, in a part with a file name\.$/)
    assert.throws(upload({ file: 'hello' }), /file cannot be "hello"; allowed: a file, in a part with a file name\.$/)
    const unprintable = /cannot be "a\\u009b31m\\u202eb"; allowed/
    assert.throws(upload({ file: 'a\u009b31m\u202eb' }), unprintable)
    const file = { filename: 'a.png', sha256: '00', size_bytes: 1 }
    assert.equal(parseUpload({ ...REQUEST, body: { kind: 'image', file } }).part, 'file')
  })

  test('reads the query of a list', () => {
    assert.deepEqual(parseList(REQUEST), { limit: 20, after: undefined, order: 'newest first', states: undefined })
    const query = { limit: '7', cursor: TASK.id, status: 'failed' }
    assert.deepEqual(parseList({ ...REQUEST, query }), {
      limit: 7,
      after: TASK.id,
      order: 'newest first',
      states: ['failed', 'expired'],
    })
  })
})
