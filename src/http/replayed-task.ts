/**
 * What a repeated request is answered with. A key that was answered is answered again, whatever has changed since: the catalog,
 * the policy, the plan, the balance, the providers, the files that the request names. So a key is looked up before anything of
 * the request is judged or fetched. Its client would take a refusal for the fate of the task, and buy it once more.
 *
 * The statement that creates is what makes a key good for one task; two requests that come at once are told apart there.
 */
import { createHash } from 'node:crypto'
import type { KeyHolder } from '../accounts/queries.ts'
import type { TaskId } from '../canonical/ids.ts'
import { canonicalJson, type Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import type { CreateInput } from '../dialects/dialect.ts'
import type { NewTask } from '../tasks/new-task.ts'
import { selectTaskEvenRemoved } from '../tasks/queries.ts'
import type { Platform } from './platform.ts'

/** A request with a key, as it is told from others. */
export interface Fingerprinted {
  readonly dialect: string
  readonly input: CreateInput
  /** Without the pictures in it. */
  readonly body: Json
}

/** The key of a request and what it stands for; `undefined` where the request has no key. */
export function idempotencyOf(request: Fingerprinted): NewTask['idempotency'] {
  const { idempotencyKey: key } = request.input
  return key === undefined ? undefined : { key, fingerprint: fingerprintOf(request) }
}

/** The task that a key has made already, if it has. Throws `idempotency_conflict` if it was made by another request. */
export async function findReplayed(
  platform: Platform,
  { holder, dialect }: { readonly holder: KeyHolder; readonly dialect: string },
  { key, fingerprint }: NonNullable<NewTask['idempotency']>,
): Promise<Task | undefined> {
  const known = await platform.idempotencyKeys.ask({ wallet: holder.walletId, key })
  if (known === undefined) return undefined
  const outcome = known.fingerprint === fingerprint ? 'replayed' : 'conflict'
  platform.metrics.created.inc({ dialect, outcome })
  if (outcome === 'conflict') throw idempotencyConflict()
  return await firstTask(platform, holder, known.taskId)
}

/** The task of a known key, also if its owner has removed it since. */
export async function firstTask(platform: Platform, { walletId: wallet }: KeyHolder, id: TaskId): Promise<Task> {
  const first = await platform.databaseTurns.run(wallet, (db) => selectTaskEvenRemoved(db, wallet, id))
  if (first === undefined) throw new Error(`task ${id} of a known idempotency key is gone`)
  return first
}

export function idempotencyConflict(): Refusal {
  return new Refusal(
    'idempotency_conflict',
    'This Idempotency-Key was used before with another request; use a new one.',
  )
}

/** Equal for equal requests, whatever the order of their keys. What is asked may stand in the path alone. */
function fingerprintOf({ dialect, input, body }: Fingerprinted): string {
  const { operation = 'generate', references = [] } = input
  const sources = references.flatMap(({ origin }) => (origin.kind === 'task' ? [origin.id] : []))
  return createHash('sha256')
    .update(canonicalJson([dialect, operation, sources, body]))
    .digest('hex')
}
