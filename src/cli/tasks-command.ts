import process from 'node:process'
import { Command } from 'commander'
import type { TaskId } from '../canonical/ids.ts'
import { isJsonObject, type JsonObject } from '../canonical/json.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import { readConfig } from '../config/read-config.ts'
import { readJobOperation } from '../providers/upstream/job-operation.ts'
import {
  type AttemptRecord,
  resolveAsAccepted,
  resolveAsFailed,
  resolveAsUndelivered,
  selectAttempts,
  selectTaskOfJob,
  selectUncertain,
} from '../tasks/operator-queries.ts'
import { failParked, resumeRestored, selectParked, selectParkedIds } from '../tasks/parked-queries.ts'
import { selectAnyTask } from '../tasks/queries.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { printable } from './printable.ts'
import { readId, readSelection } from './read-argument.ts'
import { readConfiguredDeadlines } from './read-configured-providers.ts'
import { withDatabase } from './with-database.ts'

/** More than this is an outage, and is ended by time. */
const MAX_LISTED = 1_000

interface SelectedOptions extends OutputOptions {
  readonly all?: true
}

interface ResolveOptions extends OutputOptions {
  readonly failed?: true
  readonly undelivered?: true
  readonly operation?: string
}

/** `reelay tasks …` */
export function tasksCommand(): Command {
  const command = new Command('tasks').description('tasks as their operator sees them')

  command
    .command('show')
    .description('a task and every attempt at it, with the ids that the providers gave')
    .argument('<task>', 'task_…')
    .option('--json', 'print JSON')
    .action(async (text: string, options: OutputOptions) => {
      const id = readId('task', text)
      const [task, attempts] = await withDatabase(({ pool }) =>
        Promise.all([selectAnyTask(pool, id), selectAttempts(pool, id)]),
      )
      if (task === undefined) throw new CommandError(`There is no task ${id}.`)
      const { state, model, provider, priceCredits, finalCredits, failure } = task
      const about = {
        id,
        state,
        model,
        provider,
        priceCredits: Number(priceCredits),
        finalCredits: Number(finalCredits),
      }
      const header = ['ATTEMPT', 'PROVIDER', 'STATE', 'STARTED', 'ENDED', 'COST', 'OPERATION', 'ERROR']
      print(options, { ...about, failure: failure ?? null, attempts: attempts.map(attemptJson) }, [
        `${id} is ${state}, with ${provider}: ${model}, ${creditsOf(task)}`,
        ...(failure === undefined ? [] : [`failed: ${failure.message}`]),
        ...table(header, attempts.map(cells)),
      ])
    })

  command
    .command('uncertain')
    .description('tasks of which nobody knows whether their provider got them: held, and not submitted again')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const found = await withDatabase(({ pool }) => selectUncertain(pool, MAX_LISTED))
      const header = ['TASK', 'PROVIDER', 'HELD', 'SINCE', 'GIVEN UP', 'CAUSE']
      const rows = found.map(({ task, provider, heldCredits, startedAt, endsAt, cause }) => [
        ...[
          task,
          provider,
          heldCredits.toString(),
          startedAt.toISOString(),
          endsAt?.toISOString() ?? 'parked',
          printable(cause),
        ],
      ])
      print(
        options,
        { tasks: found.map((each) => ({ ...each, heldCredits: Number(each.heldCredits) })) },
        table(header, rows),
      )
    })

  command
    .command('resolve')
    .description('say what became of an uncertain task; look it up at the provider first')
    .argument('<task>', 'task_…')
    .option('--undelivered', 'the provider has no such job: hand it over again')
    .option('--operation <json>', 'the provider has it: follow it by this operation, e.g. \'{"id":"…"}\'')
    .option('--failed', 'give it up: the customer’s credits return')
    .option('--json', 'print JSON')
    .action(async (text: string, options: ResolveOptions) => {
      const id = readId('task', text)
      const { failed, undelivered, operation } = options
      if ([failed, undelivered, operation].filter((each) => each !== undefined).length !== 1) {
        throw new CommandError('Say one of --undelivered, --operation and --failed.')
      }
      const found = operation === undefined ? undefined : readOperation(operation)
      const { taskSeconds: deadlineSeconds } = await readConfiguredDeadlines(readConfig(process.env))
      const resolved = await withDatabase(async ({ pool }) => {
        const other = found === undefined ? undefined : await selectTaskOfJob(pool, id, readJobOperation(found))
        if (other !== undefined) throw new CommandError(`That is the job of ${other}: each task has its own.`)
        if (found !== undefined) return resolveAsAccepted(pool, id, { operation: found, deadlineSeconds })
        return failed === true ? resolveAsFailed(pool, id) : resolveAsUndelivered(pool, id, deadlineSeconds)
      })
      if (!resolved) throw new CommandError(`${id} is no uncertain task.`)
      print(options, { id, resolved: true }, [`${id} is resolved.`])
    })

  command
    .command('parked')
    .description('open tasks that no worker may touch: restored ones, and those whose provider no worker has')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const found = await withDatabase(({ pool }) => selectParked(pool, MAX_LISTED))
      const rows = found.map(({ task, state, provider, because, heldCredits, parkedAt }) => [
        ...[task, state, provider, because.replace('_', ' '), heldCredits.toString(), parkedAt.toISOString()],
      ])
      print(options, { tasks: found }, table(['TASK', 'STATE', 'PROVIDER', 'BECAUSE', 'HELD', 'SINCE'], rows))
    })

  command
    .command('resume')
    .description('go on with tasks that a restore has parked: running ones are asked after, queued ones are begun')
    .argument('[tasks...]', 'task_…')
    .option('--all', 'all that a restore has parked')
    .option('--json', 'print JSON')
    .action(async (texts: string[], options: SelectedOptions) => {
      const ids = readSelection('task', texts, options)
      const resumed = await withDatabase(({ pool }) => resumeRestored(pool, ids))
      const missing = ids?.find((id) => !resumed.includes(id))
      if (missing !== undefined) {
        throw new CommandError(
          `${missing} is not parked by a restore; a task whose provider is missing goes on when a worker has that again.`,
        )
      }
      print(options, { resumed }, [`${resumed.length} tasks go on.`])
    })

  command
    .command('fail')
    .description('give parked tasks up, without asking their providers: they fail, and their credits return')
    .argument('[tasks...]', 'task_…, whatever they are parked for')
    .option('--all', 'all that a restore has parked')
    .option('--json', 'print JSON')
    .action(async (texts: string[], options: SelectedOptions) => {
      const ids = readSelection('task', texts, options)
      const failed = await withDatabase(async ({ pool }) => {
        const ended: TaskId[] = []
        for (const id of await selectParkedIds(pool, ids)) if (await failParked(pool, id)) ended.push(id)
        return ended
      })
      const missing = ids?.find((id) => !failed.includes(id))
      if (missing !== undefined) throw new CommandError(`${missing} is not parked.`)
      print(options, { failed }, [`${failed.length} tasks failed, and their credits returned.`])
    })

  return command
}

function creditsOf({ state, priceCredits, finalCredits }: Task): string {
  if (!isTerminal(state)) return `${priceCredits} credits held`
  return finalCredits === 0n ? `${priceCredits} credits returned` : `${finalCredits} credits charged`
}

/** As adapters read it: the key need not be named, which the attempt knows. */
function readOperation(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text)
    if (isJsonObject(parsed)) {
      readJobOperation(parsed)
      return parsed
    }
  } catch {
    // Said below.
  }
  throw new CommandError('--operation must be a JSON object with the id that the provider gave: {"id":"…"}.')
}

function cells(attempt: AttemptRecord): string[] {
  const { number, provider, state, because, startedAt, endedAt, costMicroUsd, operation, error } = attempt
  return [
    String(number),
    provider,
    because === undefined ? state : `${state} (${because})`,
    startedAt.toISOString(),
    endedAt?.toISOString() ?? '–',
    costMicroUsd === undefined ? 'unknown' : `${Number(costMicroUsd) / 1_000_000} USD`,
    operation === undefined ? '–' : printable(JSON.stringify(operation)),
    error === undefined ? '–' : printable(error),
  ]
}

function attemptJson({ costMicroUsd, ...attempt }: AttemptRecord): Record<string, unknown> {
  return { ...attempt, costMicroUsd: costMicroUsd === undefined ? null : Number(costMicroUsd) }
}
