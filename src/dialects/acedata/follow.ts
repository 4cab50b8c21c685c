/**
 * Answers that stay open until the video is there.
 *
 * As JSON: the HTTP status tells the outcome if the task ends before the first heartbeat. With that the status 200 has
 * been sent; each heartbeat is a space, which may stand before any JSON, and `success` in the body tells the outcome.
 *
 * As NDJSON: a line at each change, and the same line again at a heartbeat. The sync answer is the last line.
 */
import { uuidOf } from '../../canonical/ids.ts'
import { isJsonObject } from '../../canonical/json.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { Task } from '../../canonical/task.ts'
import { isTerminal } from '../../canonical/task-state.ts'
import type { FollowedTask, JsonAnswer, RenderContext, StreamAnswer, TaskUpdate } from '../dialect.ts'
import { renderRefusal } from './errors.ts'
import { renderEnded, replayHeaders, videoIdOf } from './render.ts'

export async function renderWhenEnded(
  followed: FollowedTask,
  context: RenderContext,
): Promise<JsonAnswer | StreamAnswer> {
  const waiting = untilEnded(followed, context, ({ kind }) => (kind === 'heartbeat' ? ' ' : undefined))
  const first = await waiting.next()
  if (first.done === true) return first.value
  return {
    kind: 'stream',
    status: 200,
    headers: replayHeaders(followed.replayed),
    contentType: 'application/json; charset=utf-8',
    chunks: spacesAndAnswer(first.value, waiting),
  }
}

async function* spacesAndAnswer(first: string, waiting: AsyncGenerator<string, JsonAnswer>): AsyncGenerator<string> {
  yield first
  const { body } = yield* waiting
  yield JSON.stringify(body)
}

export function renderLines(followed: FollowedTask, context: RenderContext): StreamAnswer {
  return {
    kind: 'stream',
    status: 200,
    headers: replayHeaders(followed.replayed),
    contentType: 'application/x-ndjson',
    chunks: lines(followed, context),
  }
}

async function* lines(followed: FollowedTask, context: RenderContext): AsyncGenerator<string> {
  const { task } = followed
  if (!isTerminal(task.state)) yield progressLine(task)
  const { body } = yield* untilEnded(followed, context, (update) =>
    isTerminal(update.task.state) ? undefined : progressLine(update.task),
  )
  yield `${JSON.stringify(body)}\n`
}

/** The shape is ours: the vendor documents such lines for a sister service, with other fields. */
function progressLine(task: Task): string {
  const line = {
    task_id: uuidOf(task.id),
    trace_id: uuidOf(task.traceId),
    progress: task.progress,
    data: [{ id: videoIdOf(task), state: 'pending' }],
  }
  return `${JSON.stringify(line)}\n`
}

/** Says what is to be said of each update; returns the sync answer. */
async function* untilEnded(
  { task, replayed, updates }: FollowedTask,
  context: RenderContext,
  textOf: (update: TaskUpdate) => string | undefined,
): AsyncGenerator<string, JsonAnswer> {
  let latest = task
  try {
    for await (const update of updates) {
      latest = update.task
      const text = textOf(update)
      if (text !== undefined) yield text
    }
  } catch (error) {
    if (error instanceof Refusal) return renderLostSight(task, error, context)
    throw error
  }
  return renderEnded({ task: latest, replayed }, context)
}

/** The task goes on, unwatched: the answer names it, so that nobody need create it again to learn how it ended. */
function renderLostSight(task: Task, refusal: Refusal, context: RenderContext): JsonAnswer {
  const { status, body } = renderRefusal(refusal, context)
  const ids = { task_id: uuidOf(task.id), trace_id: uuidOf(task.traceId) }
  const retryAfter = refusal.retryAfterSeconds
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    body: isJsonObject(body) ? { ...body, ...ids } : body,
  }
}
