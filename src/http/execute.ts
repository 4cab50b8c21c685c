import type { KeyHolder } from '../accounts/queries.ts'
import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import { modelsOf } from '../catalog/resolve.ts'
import type { CommandKind, Commands, Execute } from '../dialects/dialect.ts'
import { selectBalance } from '../ledger/queries.ts'
import { selectTask, selectTasks } from '../tasks/queries.ts'
import { cancelAndWait } from './cancel-task.ts'
import { createTask } from './create-task.ts'
import type { Platform } from './platform.ts'

/** Who asks, and in which dialect. */
export interface Asking {
  readonly dialect: string
  /** `undefined` on public routes. */
  readonly holder: KeyHolder | undefined
  readonly body: Json | undefined
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
  create: (platform, input, { dialect, holder, body }) =>
    createTask(platform, { holder: known(holder), dialect, input, body: body ?? null }),

  get: async (platform, { id }, { holder }) => {
    const task = await selectTask(platform.pool, known(holder).walletId, id)
    if (task === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
    return task
  },

  list: async (platform, { limit, before, states }, { holder }) => {
    const filter = { wallet: known(holder).walletId, states, before, limit: limit + 1 }
    const found = await selectTasks(platform.pool, filter)
    const tasks = found.slice(0, limit)
    return { tasks, nextCursor: found.length > limit ? tasks.at(-1)?.id : undefined }
  },

  cancel: (platform, { id }, { holder }) => cancelAndWait(platform, known(holder).walletId, id),

  balance: async (platform, _input, { holder }) => {
    const balance = await selectBalance(platform.pool, known(holder).walletId)
    return { availableCredits: balance?.available ?? 0n }
  },

  models: async (platform, _input, { dialect }) => modelsOf(platform.catalog, dialect),
}

function known(holder: KeyHolder | undefined): KeyHolder {
  if (holder === undefined) throw new Error('a route that needs an account has no scope')
  return holder
}

/** The executor for one request: who asks is the same for whatever is asked. */
export function executorFor(platform: Platform, asking: Asking): Execute {
  return (kind, input) => EXECUTORS[kind](platform, input, asking)
}
