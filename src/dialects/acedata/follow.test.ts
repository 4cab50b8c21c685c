import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOf } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { Task } from '../../canonical/task.ts'
import type { FollowedTask, JsonAnswer, MediaAnswer, StreamAnswer, TaskUpdate } from '../dialect.ts'
import { renderLines, renderWhenEnded } from './follow.ts'

const UUID = '01990000-0000-7000-8000-000000000001'
const TRACE = '01990000-0000-7000-8000-000000000002'
const AT = new Date('2026-01-01T00:00:00.250Z')
const CONTEXT = {
  urlOf: () => 'https://media.example/video.mp4',
  requestId: idOf('req', '01990000-0000-7000-8000-000000000009'),
}

const QUEUED: Task = {
  id: idOf('task', UUID),
  dialect: 'acedata',
  model: 'grok-imagine-video',
  provider: 'animatic',
  request: {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'A kitten',
    durationSeconds: 8,
    resolution: '480p',
    aspectRatio: '16:9',
    mode: 'normal',
    seed: 7,
  },
  body: { prompt: 'A kitten' },
  clientRequestId: undefined,
  traceId: idOf('req', TRACE),
  state: 'queued',
  progress: 0,
  priceCredits: 40n,
  finalCredits: 0n,
  failure: undefined,
  media: [],
  cancelRequested: false,
  queuePosition: undefined,
  createdAt: AT,
  updatedAt: AT,
  finishedAt: undefined,
}
const RUNNING: Task = { ...QUEUED, state: 'running', progress: 40 }
const SUCCEEDED: Task = {
  ...QUEUED,
  state: 'succeeded',
  progress: 100,
  finalCredits: 40n,
  media: [
    {
      id: idOf('med', UUID),
      kind: 'video',
      mimeType: 'video/mp4',
      sizeBytes: 1,
      width: 854,
      height: 480,
      durationSeconds: 8,
      expiresAt: AT,
      deletedAt: undefined,
    },
  ],
  finishedAt: AT,
}
const FAILED: Task = { ...QUEUED, state: 'failed', failure: { reason: 'moderated', message: 'The policy refused it.' } }

const SUCCESS_BODY = {
  success: true,
  task_id: UUID,
  trace_id: TRACE,
  data: [{ id: `grok-imagine-video:${UUID}`, video_url: 'https://media.example/video.mp4', state: 'succeeded' }],
}
const FAILURE_BODY = {
  success: false,
  task_id: UUID,
  trace_id: TRACE,
  error: { code: 'forbidden', message: 'The policy refused it.' },
}

const changed = (task: Task): TaskUpdate => ({ kind: 'changed', task })
const heartbeat = (task: Task): TaskUpdate => ({ kind: 'heartbeat', task })

function followed(...updates: (TaskUpdate | Refusal)[]): FollowedTask & { readonly left: () => boolean } {
  let left = false
  async function* given(): AsyncGenerator<TaskUpdate> {
    try {
      for (const update of updates) {
        if (update instanceof Refusal) throw update
        yield update
      }
    } finally {
      left = true
    }
  }
  return { task: QUEUED, replayed: false, updates: given(), left: () => left }
}

function streamed(answer: JsonAnswer | StreamAnswer | MediaAnswer): StreamAnswer {
  assert.ok(answer.kind === 'stream')
  return answer
}

async function textOf({ chunks }: StreamAnswer): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}

describe('the sync answer', () => {
  test('has its true status when the task ends before the first heartbeat', async () => {
    assert.deepEqual(await renderWhenEnded(followed(changed(RUNNING), changed(SUCCEEDED)), CONTEXT), {
      status: 200,
      headers: {},
      body: SUCCESS_BODY,
    })
    assert.deepEqual(await renderWhenEnded(followed(changed(FAILED)), CONTEXT), {
      status: 403,
      headers: {},
      body: FAILURE_BODY,
    })
  })

  test('is given at once for a replayed task that has ended', async () => {
    const answer = await renderWhenEnded({ ...followed(), task: SUCCEEDED, replayed: true }, CONTEXT)
    assert.deepEqual(answer, { status: 200, headers: { 'idempotent-replayed': 'true' }, body: SUCCESS_BODY })
  })

  test('sends a space at each heartbeat, which leaves it the same JSON', async () => {
    const updates = followed(
      changed(RUNNING),
      heartbeat(RUNNING),
      changed(RUNNING),
      heartbeat(RUNNING),
      changed(FAILED),
    )
    const answer = streamed(await renderWhenEnded(updates, CONTEXT))
    assert.deepEqual([answer.status, answer.contentType], [200, 'application/json; charset=utf-8'])
    const text = await textOf(answer)
    assert.match(text, /^ {2}\{/)
    assert.deepEqual(JSON.parse(text), FAILURE_BODY)
  })

  test('sends the first heartbeat as soon as it is due', async () => {
    const answer = streamed(await renderWhenEnded(followed(heartbeat(QUEUED), changed(SUCCEEDED)), CONTEXT))
    assert.deepEqual(await answer.chunks[Symbol.asyncIterator]().next(), { done: false, value: ' ' })
  })

  test('ends the watching when the client leaves', async () => {
    const updates = followed(heartbeat(QUEUED), heartbeat(QUEUED), changed(SUCCEEDED))
    let count = 0
    for await (const _ of streamed(await renderWhenEnded(updates, CONTEXT)).chunks) if (++count === 2) break
    assert.equal(updates.left(), true)
  })

  const stopping = new Refusal('unavailable', 'The server is stopping.', { retryAfterSeconds: 5 })
  const lost = {
    success: false,
    error: { code: 'api_error', message: 'The server is stopping.' },
    trace_id: TRACE,
    task_id: UUID,
  }

  test('names the task when the server stops before it has ended', async () => {
    assert.deepEqual(await renderWhenEnded(followed(changed(RUNNING), stopping), CONTEXT), {
      status: 503,
      headers: { 'retry-after': '5' },
      body: lost,
    })
  })

  test('names it also when heartbeats have been sent', async () => {
    const answer = streamed(await renderWhenEnded(followed(heartbeat(RUNNING), stopping), CONTEXT))
    assert.deepEqual(JSON.parse(await textOf(answer)), lost)
  })
})

describe('NDJSON', () => {
  const pending = (progress: number) => ({
    task_id: UUID,
    trace_id: TRACE,
    progress,
    data: [{ id: `grok-imagine-video:${UUID}`, state: 'pending' }],
  })

  test('has a line at each change and each heartbeat, and the sync answer last', async () => {
    const answer = renderLines(followed(changed(RUNNING), heartbeat(RUNNING), changed(SUCCEEDED)), CONTEXT)
    assert.deepEqual([answer.status, answer.contentType], [200, 'application/x-ndjson'])
    const lines = (await textOf(answer)).split('\n')
    assert.equal(lines.pop(), '')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [pending(0), pending(40), pending(40), SUCCESS_BODY],
    )
  })

  test('of a task that has ended is the last line alone', async () => {
    const text = await textOf(renderLines({ ...followed(), task: FAILED }, CONTEXT))
    assert.deepEqual(JSON.parse(text), FAILURE_BODY)
  })
})
