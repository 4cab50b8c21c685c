import { randomInt } from 'node:crypto'
import type { KeyHolder } from '../accounts/queries.ts'
import { type Id, newId } from '../canonical/ids.ts'
import type { Json } from '../canonical/json.ts'
import type { AskedReference, Reference } from '../canonical/reference.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { quote } from '../catalog/quote.ts'
import { resolveModel } from '../catalog/resolve.ts'
import { complete, type DraftRequest, validate } from '../catalog/validate.ts'
import type { Commands, CreateInput, Dialect } from '../dialects/dialect.ts'
import { DIALECTS } from '../dialects/index.ts'
import { fileOwnerOf } from '../files/file-owner.ts'
import type { ReceivedFile } from '../files/received-file.ts'
import { resolveReferences } from '../files/resolve/resolve-references.ts'
import { checkUrl } from '../media/check-url.ts'
import type { NewTask } from '../tasks/new-task.ts'
import { assertMakeable, findProvider } from './find-provider.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'
import type { Platform } from './platform.ts'
import { findReplayed, firstTask, idempotencyConflict, idempotencyOf } from './replayed-task.ts'
import { withoutInlineFiles } from './without-inline-files.ts'

/** Seeds are 32-bit. */
const SEED_BOUND = 0x1_0000_0000

/**
 * Of a body that reads show: the longest prompt, escaped, is 30 KB, and eight URLs of the longest are as much again. So a
 * batch of 100 tasks is 6 MB at most.
 */
const SHOWN_BODY_LIMIT_BYTES = 64 * 1024

/** When the queue of creates is full it is empty again within a second or two. */
const OVERLOADED_RETRY_SECONDS = 2

export interface CreateRequest {
  readonly holder: KeyHolder
  readonly dialect: string
  readonly input: CreateInput
  readonly body: Json
  readonly requestId: Id<'req'>
  /** The files of the form that the request is, by their fields. */
  readonly uploads: ReadonlyMap<string, ReceivedFile>
  /** Aborts when nobody waits for the answer any more. */
  readonly leaving: () => AbortSignal
}

/**
 * Everything that stands between a parsed body and a task. A key that was answered is answered again, before anything is
 * judged. Then what can be refused without fetching anything is refused; then the files that the request names are fetched
 * and stored; then it is quoted, routed and submitted.
 */
export async function createTask(platform: Platform, asked: CreateRequest): Promise<Commands['create']['result']> {
  const { holder, dialect, input } = asked
  const keyed = input.idempotencyKey === undefined ? undefined : withoutFiles(asked)
  const idempotency = keyed === undefined ? undefined : idempotencyOf(keyed)
  const first = idempotency === undefined ? undefined : await findReplayed(platform, { holder, dialect }, idempotency)
  if (first !== undefined) return { task: first, replayed: true }
  const model = resolveModel(platform.catalog, dialect, input.model)
  const spicyAllowed = holder.account.spicyAllowed
  const { operation = 'generate', references = [] } = input
  const draft = validate(model, { ...input, operation, references }, { spicyAllowed, freshSeed: randomInt(SEED_BOUND) })
  const makers = { mode: holder.key.mode, model, input }
  assertMakeable(platform, makers, { ...draft, references })
  await moderate(platform, asked, draft)
  const urls = checkedUrls(platform, dialect, input)
  const body = shownBody(keyed ?? withoutFiles(asked))
  const stored = references.length === 0 ? [] : await resolved(platform, asked, references)
  const request = complete(model, draft, { asked: references, references: stored })
  const provider = findProvider(platform, makers, request).id
  const submission = { ...asked, urls, body }
  return await submit(platform, submission, { request, idempotency, provider, priceCredits: quote(model, request) })
}

/** Before anything is fetched, held or sent: what the content policy refuses goes no further. */
function moderate(
  platform: Platform,
  { holder: { account }, dialect, requestId, leaving, input: { references = [] } }: CreateRequest,
  { prompt, mode }: DraftRequest,
): Promise<void> {
  const hasPicture = references.length > 0
  return platform.moderator().check({ prompt, mode, hasPicture, account, dialect, requestId, leaving })
}

/** A request without the pictures in its body, which then is no larger than any other. */
function withoutFiles(asked: CreateRequest): CreateRequest {
  const body = withoutInlineFiles(asked.body)
  assertBytes(body, BODY_LIMIT_BYTES)
  return { ...asked, body }
}

/** The body as it is kept with the task, where reads of its dialect show it. */
function shownBody({ dialect: id, body }: Pick<CreateRequest, 'dialect' | 'body'>): Json | undefined {
  if (dialectOf(id)?.showsBodies !== true) return undefined
  assertBytes(body, SHOWN_BODY_LIMIT_BYTES)
  return body
}

function assertBytes(body: Json, limitBytes: number): void {
  if (Buffer.byteLength(JSON.stringify(body)) <= limitBytes) return
  throw new Refusal('body_too_large', `The body is too large; allowed: ${limitBytes} bytes beside pictures.`)
}

function dialectOf(id: string): Dialect | undefined {
  return DIALECTS.find((each) => each.id === id)
}

/** Fetches, examines and stores the files that the request names; throws for the first that cannot be used. */
function resolved(
  platform: Platform,
  { holder, uploads, leaving }: CreateRequest,
  asked: readonly AskedReference[],
): Promise<Reference[]> {
  return resolveReferences(platform.files, { owner: fileOwnerOf(holder), asked, uploads, signal: leaving() })
}

interface Submission extends Omit<CreateRequest, 'body' | 'uploads' | 'leaving'> {
  readonly body: NewTask['body']
  readonly urls: Pick<NewTask, 'callbackUrl' | 'uploadUrl'>
}

type Quoted = Pick<NewTask, 'request' | 'priceCredits' | 'provider' | 'idempotency'>

async function submit(
  platform: Platform,
  submission: Submission,
  quoted: Quoted,
): Promise<Commands['create']['result']> {
  const { holder, dialect } = submission
  const task = newTask(submission, quoted)
  const outcome = await platform.submitter.submit(task)
  platform.metrics.created.inc({ dialect, outcome: outcome.kind })
  switch (outcome.kind) {
    case 'created':
      platform.waker.wake()
      return { task: createdTask(task, outcome.createdAt), replayed: false }
    case 'replayed':
      return { task: await firstTask(platform, holder, outcome.id), replayed: true }
    case 'conflict':
      throw idempotencyConflict()
    case 'insufficient':
      throw new Refusal(
        'insufficient_credits',
        `This generation costs ${task.priceCredits} credits; ${outcome.availableCredits} are available.`,
      )
    case 'busy':
      throw new Refusal('unavailable', "The account's balance is held by another operation; try again.", {
        retryAfterSeconds: OVERLOADED_RETRY_SECONDS,
      })
    case 'overloaded':
      throw new Refusal('unavailable', 'Too many requests are being created at this moment; try again.', {
        retryAfterSeconds: OVERLOADED_RETRY_SECONDS,
      })
  }
}

function newTask(submission: Submission, quoted: Quoted): NewTask {
  const { holder, dialect, input, body, requestId, urls } = submission
  return {
    id: newId('task'),
    wallet: holder.walletId,
    dialect,
    model: input.model,
    body,
    clientRequestId: input.clientRequestId,
    traceId: requestId,
    ...urls,
    ...quoted,
  }
}

/** The URLs that are to be called later, normalized. Throws for one that may not be. */
function checkedUrls(
  platform: Platform,
  dialectId: string,
  { callbackUrl, uploadUrl, urlFields }: CreateInput,
): Pick<NewTask, 'callbackUrl' | 'uploadUrl'> {
  if (callbackUrl !== undefined && dialectOf(dialectId)?.renderCallback === undefined) {
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

/** The task as it was just written: what reading it back would give, without the reading. */
function createdTask(task: NewTask, createdAt: Date): Task {
  return {
    id: task.id,
    dialect: task.dialect,
    model: task.model,
    provider: task.provider,
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
