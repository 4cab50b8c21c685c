import { Command } from 'commander'
import { DELIVERY_STATES, type Delivery, type DeliveryId, type DeliveryState } from '../webhooks/delivery.ts'
import { dropDeliveries, resumeDeliveries } from '../webhooks/parked-queries.ts'
import { retryDelivery, selectDeliveries } from '../webhooks/queries.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { readId, readSelection, readWholeNumber } from './read-argument.ts'
import { withDatabase } from './with-database.ts'

/** More than this is read by nobody; `--task` and `--state` find the rest. */
const MAX_LISTED = 1_000
const DEFAULT_LISTED = 50

interface ListOptions extends OutputOptions {
  readonly task?: string
  readonly state?: DeliveryState
  readonly limit: number
}

interface SelectedOptions extends OutputOptions {
  readonly all?: true
}

/** `reelay deliveries …` */
export function deliveriesCommand(): Command {
  const command = new Command('deliveries').description('callbacks and uploads to customers')

  command
    .command('list')
    .description('the newest first; a delivery that has ended is kept for 30 days')
    .option('--task <task>', 'only those of this task')
    .option('--state <state>', `only those that are ${DELIVERY_STATES.join(', ')}`, readState)
    .option('--limit <n>', 'at most so many', readWholeNumber('limit', { min: 1, max: MAX_LISTED }), DEFAULT_LISTED)
    .option('--json', 'print JSON')
    .action(async ({ task: taskText, state, limit, ...options }: ListOptions) => {
      const task = taskText === undefined ? undefined : readId('task', taskText)
      const found = await withDatabase(({ pool }) => selectDeliveries(pool, { task, state, limit }))
      const header = ['DELIVERY', 'KIND', 'STATE', 'ATTEMPTS', 'NEXT OR ENDED', 'URL', 'LAST']
      print(options, { deliveries: found.map(deliveryJson) }, table(header, found.map(cells)))
    })

  command
    .command('retry')
    .description('deliver again, at once and then by the whole schedule, under the same id')
    .argument('<delivery>', 'msg_…')
    .option('--json', 'print JSON')
    .action(async (text: string, options: OutputOptions) => {
      const id = readId('msg', text)
      if (!(await withDatabase(({ pool }) => retryDelivery(pool, id)))) {
        throw new CommandError(`There is no delivery ${id}, or an attempt is under way at this moment.`)
      }
      print(options, { id, state: 'pending' }, [`${id} is due now.`])
    })

  command
    .command('resume')
    .description('make deliveries that a restore has parked')
    .argument('[deliveries...]', 'msg_…')
    .option('--all', 'all of them')
    .option('--json', 'print JSON')
    .action(async (texts: string[], options: SelectedOptions) => {
      const ids = readSelection('msg', texts, options)
      const resumed = await withDatabase(({ pool }) => resumeDeliveries(pool, ids))
      assertAll(ids, resumed)
      print(options, { resumed }, [`${resumed.length} deliveries are due now.`])
    })

  command
    .command('drop')
    .description('give deliveries up that a restore has parked: they are never made')
    .argument('[deliveries...]', 'msg_…')
    .option('--all', 'all of them')
    .option('--json', 'print JSON')
    .action(async (texts: string[], options: SelectedOptions) => {
      const ids = readSelection('msg', texts, options)
      const dropped = await withDatabase(({ pool }) => dropDeliveries(pool, ids))
      assertAll(ids, dropped)
      print(options, { dropped }, [`${dropped.length} deliveries are given up.`])
    })

  return command
}

function assertAll(asked: readonly DeliveryId[] | undefined, done: readonly DeliveryId[]): void {
  const missing = asked?.find((id) => !done.includes(id))
  if (missing !== undefined) throw new CommandError(`${missing} is no parked delivery.`)
}

function readState(text: string): DeliveryState {
  const state = DELIVERY_STATES.find((each) => each === text)
  if (state === undefined) throw new CommandError(`"${text}" is not a state; there are ${DELIVERY_STATES.join(', ')}.`)
  return state
}

function cells({ id, kind, state, attempts, dueAt, endedAt, shownUrl, lastError, lastStatus }: Delivery): string[] {
  const when = (endedAt ?? dueAt)?.toISOString() ?? 'parked'
  return [id, kind, state, String(attempts), when, shownUrl, lastError ?? String(lastStatus ?? '')]
}

function deliveryJson(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    kind: delivery.kind,
    task: delivery.taskId,
    account: delivery.accountId,
    url: delivery.shownUrl,
    state: delivery.state,
    attempts: delivery.attempts,
    due_at: delivery.state === 'pending' ? (delivery.dueAt?.toISOString() ?? null) : null,
    parked: delivery.state === 'pending' && delivery.dueAt === undefined,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    created_at: delivery.createdAt.toISOString(),
    ended_at: delivery.endedAt?.toISOString() ?? null,
  }
}
