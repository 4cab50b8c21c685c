import { createHash, randomInt } from 'node:crypto'
import type { KeyHolder } from '../accounts/queries.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { type Id, newId } from '../canonical/ids.ts'
import { canonicalJson, type Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { quote } from '../catalog/quote.ts'
import { resolveModel } from '../catalog/resolve.ts'
import { validate } from '../catalog/validate.ts'
import type { Commands, CreateInput } from '../dialects/dialect.ts'
import { DIALECTS } from '../dialects/index.ts'
import { checkUrl } from '../media/check-url.ts'
import type { NewTask } from '../tasks/new-task.ts'
import { selectTaskEvenRemoved } from '../tasks/queries.ts'
import { routeTask } from '../tasks/route.ts'
import type { Platform } from './platform.ts'

/** Seeds are 32-bit. */
const SEED_BOUND = 0x1_0000_0000

/** When the queue of creates is full it is empty again within a second or two. */
const OVERLOADED_RETRY_SECONDS = 2

export interface CreateRequest {
  readonly holder: KeyHolder
  readonly dialect: string
  readonly input: CreateInput
  readonly body: Json
  readonly requestId: Id<'req'>
}

/** Resolves, validates, quotes, routes and submits: everything that stands between a parsed body and a task. */
export async function createTask(platform: Platform, asked: CreateRequest): Promise<Commands['create']['result']> {
  const { holder, dialect, input } = asked
  const model = resolveModel(platform.catalog, dialect, input.model)
  const spicyAllowed = holder.account.spicyAllowed
  const request = validate(model, input, { spicyAllowed, freshSeed: randomInt(SEED_BOUND) })
  const task = newTask(platform, asked, request, quote(model, request))
  const outcome = await platform.submitter.submit(task)
  platform.metrics.created.inc({ dialect, outcome: outcome.kind })
  switch (outcome.kind) {
    case 'created':
      platform.waker.wake()
      return { task: createdTask(task, outcome.createdAt), replayed: false }
    case 'replayed': {
      const first = await selectTaskEvenRemoved(platform.pool, holder.walletId, outcome.id)
      if (first === undefined) throw new Error(`task ${outcome.id} of a known idempotency key is gone`)
      return { task: first, replayed: true }
    }
    case 'conflict':
      throw new Refusal(
        'idempotency_conflict',
        'This Idempotency-Key was used before with another request; use a new one.',
      )
    case 'insufficient':
      throw new Refusal(
        'insufficient_credits',
        `This generation costs ${task.priceCredits} credits; ${outcome.availableCredits} are available.`,
      )
    case 'overloaded':
      throw new Refusal('unavailable', 'Too many requests are being created at this moment; try again.', {
        retryAfterSeconds: OVERLOADED_RETRY_SECONDS,
      })
  }
}

function newTask(platform: Platform, asked: CreateRequest, request: GenerationRequest, priceCredits: bigint): NewTask {
  const { holder, dialect, input, body, requestId } = asked
  const provider = routeTask(platform.providers, holder.key.mode, request)
  if (provider === undefined) throw new Refusal('unavailable', 'No provider takes this request at the moment.')
  return {
    id: newId('task'),
    wallet: holder.walletId,
    dialect,
    model: request.model,
    request,
    body,
    clientRequestId: input.clientRequestId,
    traceId: requestId,
    ...checkedUrls(platform, dialect, input),
    priceCredits,
    provider: provider.id,
    idempotency:
      input.idempotencyKey === undefined
        ? undefined
        : { key: input.idempotencyKey, fingerprint: fingerprintOf(dialect, body) },
  }
}

/** The URLs that are to be called later, normalized. Throws for one that may not be. */
function checkedUrls(
  platform: Platform,
  dialectId: string,
  { callbackUrl, uploadUrl, urlFields }: CreateInput,
): Pick<NewTask, 'callbackUrl' | 'uploadUrl'> {
  if (callbackUrl !== undefined && DIALECTS.find(({ id }) => id === dialectId)?.renderCallback === undefined) {
    throw new Error(`the dialect ${dialectId} takes callbacks and cannot render them`)
  }
  return {
    callbackUrl: checkedUrl(platform, urlFields?.callback ?? 'callback_url', callbackUrl),
    uploadUrl: checkedUrl(platform, urlFields?.upload ?? 'upload_url', uploadUrl),
  }
}

function checkedUrl({ fetchPolicy }: Platform, field: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const verdict = checkUrl(text, fetchPolicy)
  if (verdict.kind === 'accepted') return verdict.url.href
  const { allowed } = verdict
  throw new Refusal('url_rejected', `${field} is not a URL that may be called; allowed: ${allowed}.`, {
    detail: { field, value: text, allowed },
  })
}

/** Equal for equal requests, whatever the order of their keys. */
function fingerprintOf(dialect: string, body: Json): string {
  return createHash('sha256')
    .update(`${dialect}\n${canonicalJson(body)}`)
    .digest('hex')
}

/** The task as it was just written: what reading it back would give, without the reading. */
function createdTask(task: NewTask, createdAt: Date): Task {
  return {
    id: task.id,
    dialect: task.dialect,
    model: task.model,
    request: task.request,
    body: task.body,
    clientRequestId: task.clientRequestId,
    traceId: task.traceId,
    state: 'queued',
    progress: 0,
    priceCredits: task.priceCredits,
    finalCredits: 0n,
    failure: undefined,
    media: [],
    cancelRequested: false,
    queuePosition: undefined,
    createdAt,
    updatedAt: createdAt,
    finishedAt: undefined,
  }
}
