import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import type { TaskUpdate } from '../dialects/dialect.ts'
import type { Watch } from '../tasks/watch.ts'
import { followTask } from './follow-task.ts'

const AT = new Date()
const QUEUED: Task = {
  id: newId('task'),
  dialect: 'acedata',
  model: 'grok-imagine-video',
  provider: 'animatic',
  request: {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'sea',
    durationSeconds: 1,
    resolution: '480p',
    aspectRatio: '1:1',
    mode: 'normal',
    seed: 1,
  },
  body: {},
  clientRequestId: undefined,
  traceId: newId('req'),
  state: 'queued',
  progress: 0,
  priceCredits: 5n,
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
const FAILED: Task = { ...QUEUED, state: 'failed', failure: { reason: 'internal', message: 'No.' } }
const HEARTBEAT_MS = 60_000

/** What a watch says, one after the other, without letting any time pass. */
function scripted(...news: ('changed' | 'quiet')[]) {
  const waits: number[] = []
  let isWatched = false
  const watch = (): Watch => {
    isWatched = true
    return {
      next: async (timeoutMs) => {
        waits.push(timeoutMs)
        const next = news.shift()
        assert.ok(next, 'the watching goes on after the end')
        return next
      },
      [Symbol.dispose]: () => {
        isWatched = false
      },
    }
  }
  return { watchers: { watch }, waits, isWatched: () => isWatched }
}

function reads(...tasks: Task[]): () => Promise<Task> {
  return async () => tasks.shift() ?? FAILED
}

async function all(updates: AsyncIterable<TaskUpdate>): Promise<TaskUpdate[]> {
  const given: TaskUpdate[] = []
  for await (const update of updates) given.push(update)
  return given
}

const open = () => new AbortController().signal

const onUnread = (error: unknown): never => assert.fail(`could not read: ${error}`)

const AWAY = Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' })

/** A task, or an error to throw, at each read. */
function readsOrFails(...outcomes: (Task | Error)[]): () => Promise<Task> {
  return async () => {
    const outcome = outcomes.shift()
    assert.ok(outcome, 'it is read again after the end')
    if (outcome instanceof Error) throw outcome
    return outcome
  }
}

test('gives the task at each change and each heartbeat, and ends when it has ended', async () => {
  const { watchers, isWatched } = scripted('changed', 'quiet', 'changed')
  const updates = followTask({
    task: QUEUED,
    watchers,
    read: reads(RUNNING),
    onUnread,
    signal: open(),
    heartbeatMs: HEARTBEAT_MS,
  })
  assert.deepEqual(await all(updates), [
    { kind: 'changed', task: RUNNING },
    { kind: 'heartbeat', task: RUNNING },
    { kind: 'changed', task: FAILED },
  ])
  assert.equal(isWatched(), false)
})

test('beats at a steady pace: a change does not put the next heartbeat off', async () => {
  const { watchers, waits } = scripted('changed', 'quiet', 'changed')
  const updates = followTask({
    task: QUEUED,
    watchers,
    read: reads(RUNNING),
    onUnread,
    signal: open(),
    heartbeatMs: HEARTBEAT_MS,
  })
  await all(updates)
  const [first = 0, afterChange = 0, afterBeat = 0] = waits
  assert.ok(first <= HEARTBEAT_MS && afterChange <= first, waits.join(' '))
  assert.ok(afterBeat > HEARTBEAT_MS, 'the beat came early, so the next is a full one later than when it was due')
})

test('of a task that has ended gives nothing', async () => {
  const { watchers, waits } = scripted()
  assert.deepEqual(await all(followTask({ task: FAILED, watchers, read: reads(), onUnread, signal: open() })), [])
  assert.deepEqual(waits, [])
})

test('refuses when nobody listens any more, and does not read again', async () => {
  const over = new AbortController()
  const { watchers, isWatched } = scripted('changed', 'quiet')
  const updates = followTask({ task: QUEUED, watchers, read: reads(RUNNING), onUnread, signal: over.signal })
  await updates.next()
  over.abort()
  assert.equal(isWatched(), false, 'also without being resumed')
  await assert.rejects(updates.next(), (error) => error instanceof Refusal && error.code === 'unavailable')
})

test('leaving the loop ends the watching', async () => {
  const { watchers, isWatched } = scripted('quiet')
  for await (const _ of followTask({ task: QUEUED, watchers, read: reads(), onUnread, signal: open() })) break
  assert.equal(isWatched(), false)
})

test('reads again, soon and without being told of another change, what the database did not give', async () => {
  const { watchers, waits } = scripted('changed', 'quiet', 'quiet')
  const unread: unknown[] = []
  const updates = followTask({
    task: QUEUED,
    watchers,
    read: readsOrFails(AWAY, AWAY, FAILED),
    onUnread: (error) => unread.push(error),
    signal: open(),
    heartbeatMs: HEARTBEAT_MS,
  })
  assert.deepEqual(await all(updates), [{ kind: 'changed', task: FAILED }])
  assert.deepEqual(unread, [AWAY, AWAY])
  assert.deepEqual(waits.slice(1), [1_000, 1_000])
})

test('reads again where its read found no turn at the database', async () => {
  const { watchers } = scripted('changed', 'quiet')
  const busy = new Refusal('unavailable', 'Too many requests of this account are being answered.')
  const read = readsOrFails(busy, FAILED)
  const updates = followTask({ task: QUEUED, watchers, read, onUnread: () => undefined, signal: open() })
  assert.deepEqual(await all(updates), [{ kind: 'changed', task: FAILED }])
})

test('beats while it cannot read, with what it last read', async () => {
  const { watchers } = scripted('changed', 'changed', 'quiet', 'quiet')
  const updates = followTask({
    task: QUEUED,
    watchers,
    read: readsOrFails(RUNNING, AWAY, AWAY, FAILED),
    onUnread: () => undefined,
    signal: open(),
    heartbeatMs: 0,
  })
  assert.deepEqual(await all(updates), [
    { kind: 'changed', task: RUNNING },
    { kind: 'heartbeat', task: RUNNING },
    { kind: 'changed', task: FAILED },
  ])
})

test('refuses when it could not read for half a minute', async () => {
  const { watchers, isWatched } = scripted('changed', ...Array.from({ length: 29 }, () => 'quiet' as const))
  const updates = followTask({
    task: QUEUED,
    watchers,
    read: readsOrFails(...Array.from({ length: 30 }, () => AWAY)),
    onUnread: () => undefined,
    signal: open(),
    heartbeatMs: HEARTBEAT_MS,
  })
  await assert.rejects(
    all(updates),
    (error) => error instanceof Refusal && error.code === 'unavailable' && error.cause === AWAY,
  )
  assert.equal(isWatched(), false)
})

test('does not read again what has been removed', async () => {
  const { watchers } = scripted('changed')
  const gone = new Refusal('task_not_found', 'There is no such generation.')
  const updates = followTask({ task: QUEUED, watchers, read: readsOrFails(gone), onUnread, signal: open() })
  await assert.rejects(all(updates), gone)
})
