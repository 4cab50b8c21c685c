import type { KeyHolder } from '../accounts/queries.ts'
import type { Id, TaskId } from '../canonical/ids.ts'
import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import { modelsOf } from '../catalog/resolve.ts'
import type { CommandKind, Commands, Execute } from '../dialects/dialect.ts'
import type { ReceivedFile } from '../files/received-file.ts'
import { selectBalance } from '../ledger/queries.ts'
import { selectTasks } from '../tasks/list-queries.ts'
import { removeTask, selectTask, selectTasksById } from '../tasks/queries.ts'
import { cancelAndWait } from './cancel-task.ts'
import { createTask } from './create-task.ts'
import { deleteFile, getFile, listFiles, uploadFile } from './files.ts'
import { followTask } from './follow-task.ts'
import { listPage } from './list-page.ts'
import type { Platform } from './platform.ts'

/** Who asks, in which dialect, and how. */
export interface Asking {
  readonly dialect: string
  /** `undefined` on public routes. */
  readonly holder: KeyHolder | undefined
  /** Dropped once a task has been made of it: it may hold megabytes, and the answer take minutes. */
  body: Json | undefined
  /** The files of the form that the request is, by their fields. Deleted when it has been answered. */
  readonly uploads: ReadonlyMap<string, ReceivedFile>
  readonly requestId: Id<'req'>
  /** `Prefer: wait=<seconds>`: a read of a task that has not ended waits so long for a change. */
  readonly waitSeconds: number | undefined
  /** Told of the task that the answer is about, as soon as there is one. */
  readonly onTask: (task: Task) => void
  /** Aborts when nobody waits for the answer any more: the client has left, or the server stops. Made for who asks for it. */
  readonly leaving: () => AbortSignal
}

type Executors = {
  readonly [Kind in CommandKind]: (
    platform: Platform,
    input: Commands[Kind]['input'],
    asking: Asking,
  ) => Promise<Commands[Kind]['result']>
}

/** How each command is carried out, whatever the dialect. */
const EXECUTORS: Executors = {
  create: async (platform, input, { dialect, holder, body, requestId, uploads, leaving, onTask }) => {
    const asked = { holder: known(holder), dialect, input, body: body ?? null, requestId, uploads, leaving }
    const created = await createTask(platform, asked)
    onTask(created.task)
    return created
  },

  follow: async (platform, input, asking) => {
    const release = platform.watchPlaces.take(known(asking.holder).walletId)
    const leaving = asking.leaving()
    leaving.addEventListener('abort', release)
    if (leaving.aborted) release()
    const created = await EXECUTORS.create(platform, input, asking)
    const read = () => existing(platform, known(asking.holder), created.task.id)
    const onUnread = (error: unknown) =>
      platform.log.warn(
        { err: error, task: created.task.id },
        'a followed task could not be read; it will be read again',
      )
    const { watchers } = platform
    const updates = followTask({ task: created.task, watchers, read, onUnread, signal: leaving })
    return { ...created, updates }
  },

  get: async (platform, { id }, { holder, waitSeconds, leaving, onTask }) => {
    const task = await existing(platform, known(holder), id)
    onTask(task)
    if (waitSeconds === undefined || isTerminal(task.state)) return task
    const release = platform.watchPlaces.tryTake(known(holder).walletId)
    if (release === undefined) return task
    try {
      using watch = platform.watchers.watch(task)
      await watch.next(waitSeconds * 1000, leaving())
    } finally {
      release()
    }
    return existing(platform, known(holder), id)
  },

  getMany: (platform, { ids }, { holder, dialect, leaving }) => {
    const wallet = known(holder).walletId
    return listPage(platform, { wallet, leaving: leaving() }, (db) => selectTasksById(db, { wallet, dialect, ids }))
  },

  list: async (platform, { limit, after, order, states }, { holder, leaving }) => {
    const filter = { wallet: known(holder).walletId, states, after, order, limit: limit + 1 }
    const reader = { wallet: filter.wallet, leaving: leaving() }
    const found = await listPage(platform, reader, (db) => selectTasks(db, filter))
    return { tasks: found.slice(0, limit), hasMore: found.length > limit }
  },

  cancel: (platform, { id }, { holder, leaving }) =>
    cancelAndWait(platform, { wallet: known(holder).walletId, id, signal: leaving() }),

  remove: async (platform, { id }, { holder }) => {
    const task = await existing(platform, known(holder), id)
    const ended = isTerminal(task.state) ? task : await endOf(platform, known(holder), id)
    if (!(await platform.databaseTurns.run(known(holder).walletId, (db) => removeTask(db, id)))) {
      throw new Refusal('unavailable', 'The generation is still being canceled; try again.', { retryAfterSeconds: 2 })
    }
    return ended
  },

  balance: async (platform, _input, { holder }) => {
    const wallet = known(holder).walletId
    const balance = await platform.databaseTurns.run(wallet, (db) => selectBalance(db, wallet))
    return { availableCredits: balance?.available ?? 0n }
  },

  uploadFile: (platform, input, { dialect, holder, uploads, leaving }) =>
    uploadFile(platform, { holder: known(holder), dialect, input, uploads, signal: leaving() }),

  getFile: (platform, { id }, { holder }) => getFile(platform, known(holder), id),

  listFiles: (platform, input, { holder, leaving }) =>
    listFiles(platform, { wallet: known(holder).walletId, leaving: leaving() }, input),

  deleteFile: (platform, { id }, { holder }) => deleteFile(platform, known(holder), id),

  models: async (platform, _input, { dialect }) => modelsOf(platform.catalog, dialect),
}

function known(holder: KeyHolder | undefined): KeyHolder {
  if (holder === undefined) throw new Error('a route that needs an account has no scope')
  return holder
}

async function existing(platform: Platform, { walletId }: KeyHolder, id: TaskId): Promise<Task> {
  const task = await platform.databaseTurns.run(walletId, (db) => selectTask(db, walletId, id))
  if (task === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return task
}

/** Cancels a task; one that ends by itself at that very moment has ended as well. */
async function endOf(platform: Platform, holder: KeyHolder, id: TaskId): Promise<Task> {
  try {
    // What is to be deleted is deleted, also for a client that has left.
    return await cancelAndWait(platform, { wallet: holder.walletId, id, signal: new AbortController().signal })
  } catch (error) {
    const now = await existing(platform, holder, id)
    if (error instanceof Refusal && error.code === 'not_cancelable' && isTerminal(now.state)) return now
    throw error
  }
}

/** The executor for one request: who asks is the same for whatever is asked. */
export function executorFor(platform: Platform, asking: Asking): Execute {
  return (kind, input) => EXECUTORS[kind](platform, input, asking)
}
