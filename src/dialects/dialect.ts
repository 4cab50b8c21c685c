/**
 * The contract of a dialect: an API that customers' code already speaks. A dialect reads wire bodies into canonical
 * commands and writes canonical results and refusals back in its own words. It is pure: it reaches no database, no
 * provider and no clock, so N dialects and M providers cost N + M.
 */
import type { z } from 'zod'
import type { CustomerFile, FilePage } from '../canonical/customer-file.ts'
import type { Operation } from '../canonical/generation.ts'
import type { FileId, Id, TaskId } from '../canonical/ids.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import type { Model, ReferencePolicy } from '../canonical/model.ts'
import type { AskedReference, ReferenceKind } from '../canonical/reference.ts'
import type { Refusal, RefusalCode } from '../canonical/refusal.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { Task, TaskMedia, TaskPage } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'

/** What a route asks of the platform, by kind, and what it gets. */
export interface Commands {
  /** Create a task: `replayed` when an idempotency key was seen before with the same body. */
  create: { readonly input: CreateInput; readonly result: { readonly task: Task; readonly replayed: boolean } }
  /** Create a task and stay with it: the request remains open until the task has ended. */
  follow: { readonly input: CreateInput; readonly result: FollowedTask }
  get: { readonly input: { readonly id: TaskId }; readonly result: Task }
  /** Those of the tasks that there are, each once, in the order asked for. */
  getMany: { readonly input: { readonly ids: readonly TaskId[] }; readonly result: readonly Task[] }
  list: { readonly input: ListInput; readonly result: TaskPage }
  cancel: { readonly input: { readonly id: TaskId }; readonly result: Task }
  /** Cancels a task that has not ended, deletes its files, and takes it out of every list. */
  remove: { readonly input: { readonly id: TaskId }; readonly result: Task }
  balance: { readonly input: Record<string, never>; readonly result: { readonly availableCredits: bigint } }
  models: { readonly input: Record<string, never>; readonly result: readonly Model[] }
  /** Examine and keep a file of the form that the request is. Costs nothing and makes no task. */
  uploadFile: { readonly input: UploadInput; readonly result: StatedFile }
  getFile: { readonly input: { readonly id: FileId }; readonly result: StatedFile }
  /** Uploaded files that have neither expired nor been deleted, newest first. */
  listFiles: { readonly input: FileListInput; readonly result: FilePage }
  /** Deletes a file at once for its owner; its bytes go when no running task needs them. */
  deleteFile: { readonly input: { readonly id: FileId }; readonly result: CustomerFile }
}
export type CommandKind = keyof Commands

export interface FollowedTask {
  readonly task: Task
  readonly replayed: boolean
  /**
   * Ends when the task has. Throws an `unavailable` refusal when the client has left or the server stops before that.
   * Leaving the loop ends the watching and nothing else: the task goes on.
   */
  readonly updates: AsyncIterable<TaskUpdate>
}

/** A change of a followed task's state or progress; or a heartbeat: time to send something, before a proxy cuts the line. */
export interface TaskUpdate {
  readonly kind: 'changed' | 'heartbeat'
  readonly task: Task
}

export interface UploadInput {
  /** The form's field that holds the file. */
  readonly part: string
  /** What the caller says that it is; what it is found to be must agree. */
  readonly kind: ReferenceKind
  /** Checked against what this model of the dialect takes, where it is named. */
  readonly model: string | undefined
  /** What is taken where no model is named. */
  readonly kinds: ReferencePolicy['kinds']
}

/** A file with our signed statement of its measured duration, where it is a video or audio. */
export interface StatedFile {
  readonly file: CustomerFile
  readonly durationToken: string | undefined
}

export interface FileListInput {
  readonly limit: number
  /** The last file of the page before. */
  readonly after: FileId | undefined
}

export interface CreateInput {
  readonly model: string
  /** By default `generate`. */
  readonly operation?: Operation
  /** `undefined` where none was sent: the catalog says whether one is needed. */
  readonly prompt: string | undefined
  /** Files that the request names, in the order of the body. Fetched, examined and stored before anything is charged. */
  readonly references?: readonly AskedReference[]
  /** Model parameters under the caller's own keys; the catalog checks them. */
  readonly params: JsonObject
  /** Where they stand in the body, for error messages: `params.`, or nothing when at the top. */
  readonly paramsPath: string
  readonly clientRequestId: string | undefined
  /** 1–255 printable ASCII characters. */
  readonly idempotencyKey: string | undefined
  /** Told when the task has ended. Checked before anything is charged. */
  readonly callbackUrl?: string | undefined
  /** Where a finished video is to be put (HTTP PUT). Checked before anything is charged. */
  readonly uploadUrl?: string | undefined
  /** Where the two stand in the body, for error messages; by default `callback_url` and `upload_url`. */
  readonly urlFields?: { readonly callback?: string; readonly upload?: string }
}

export interface ListInput {
  readonly limit: number
  /** The last task of the page before. */
  readonly after: TaskId | undefined
  readonly order: 'newest first' | 'oldest first'
  readonly states: readonly TaskState[] | undefined
}

/** A request as it came, its body parsed as JSON but not yet looked at. */
export interface WireRequest {
  /** Path parameters. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** In a multipart form, a file stands under its field as a `FormFile`. */
  readonly body: Json | undefined
}

interface AnswerHead {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A whole answer at once. */
export interface JsonAnswer extends AnswerHead {
  readonly kind?: 'json'
  readonly body: Json
}

/** An answer that is sent as it comes into being. */
export interface StreamAnswer extends AnswerHead {
  readonly kind: 'stream'
  readonly contentType: string
  /** Closed when the client leaves. */
  readonly chunks: AsyncIterable<string>
}

/** The bytes of a file, with ranges, conditions and all that players need. */
export interface MediaAnswer {
  readonly kind: 'media'
  readonly media: TaskMedia
}

export type WireAnswer = JsonAnswer | StreamAnswer | MediaAnswer

/** What rendering needs beside the result. */
export interface RenderContext {
  /** A signed, expiring link to a media file. */
  readonly urlOf: (media: Pick<TaskMedia | CustomerFile, 'id' | 'mimeType' | 'expiresAt'>) => string
  /** Of this request: in the log, and for dialects that show one. */
  readonly requestId: Id<'req'>
}

/** What a route's OpenAPI operation says beyond what its schemas say. */
export interface RouteDocumentation {
  /** One sentence. */
  readonly summary: string
  readonly query?: z.ZodObject
  /** Under which key of the body the model's parameters stand; `''` when they stand beside the other fields. */
  readonly paramsAt?: string
  /** Which of a model's operations the parameters are those of; by default `generate`. */
  readonly operation?: Operation
  /** The fields of the multipart form that the body is, where it is no JSON; a file is a text of the format `binary`. */
  readonly form?: z.ZodObject
  /** The body of a successful answer, by status: its schema, or the type of what is not JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | { readonly mediaType: string }>>
  /** A body that works as it stands. A test sends it. */
  readonly example?: Json
}

/** One route of a dialect, as the dialect writes it: it carries out one command. */
export interface RouteDefinition<Kind extends CommandKind> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With `:name` for path parameters, as documented by the dialect's vendor. */
  readonly path: string
  readonly kind: Kind
  /** What the key must be allowed; `undefined` where the route is public. */
  readonly scope: Scope | undefined
  /** The body's schema, where there is a body: validates, and is the source of the documentation. */
  readonly body?: z.ZodType
  /**
   * Set where a request can bring files along: its JSON may be as large as pictures in data URIs are, and its form may
   * have parts that are files. A route of the kind `uploadFile` takes forms with files, and nothing else, by itself.
   */
  readonly takesReferences?: true
  /** For the dialect's OpenAPI document. */
  readonly documentation: RouteDocumentation
  /** Throws a `Refusal` for anything that it does not understand. */
  readonly parse: (request: WireRequest) => Commands[Kind]['input']
  /** May look at the request again, where that says how the answer is to be; and may throw a `Refusal`. */
  readonly render: (
    result: Commands[Kind]['result'],
    context: RenderContext,
    request: WireRequest,
  ) => WireAnswer | Promise<WireAnswer>
}

/** Carries out a command of any kind. */
export type Execute = <Kind extends CommandKind>(
  kind: Kind,
  input: Commands[Kind]['input'],
) => Promise<Commands[Kind]['result']>

/** A route as the server sees it: the kinds of its parse and render are sealed inside, and known to agree. */
export interface Route extends Omit<RouteDefinition<CommandKind>, 'parse' | 'render'> {
  readonly answer: (request: WireRequest, execute: Execute, context: RenderContext) => Promise<WireAnswer>
}

/** Seals a route: parse, carry out, render. */
export function route<Kind extends CommandKind>({ parse, render, ...about }: RouteDefinition<Kind>): Route {
  return {
    ...about,
    answer: async (request, execute, context) => render(await execute(about.kind, parse(request)), context, request),
  }
}

/** How a refusal is said: exhaustive, so that a new code does not compile until each dialect has words for it. */
export type ErrorMap = Readonly<Record<RefusalCode, { readonly status: number; readonly code: string }>>

export interface Dialect {
  /** Also the prefix under which all of its routes are mounted a second time. */
  readonly id: string
  /** Set where another dialect has the same paths: this one is then served below its prefix alone. */
  readonly isBelowPrefixOnly?: true
  readonly routes: readonly Route[]
  /**
   * For the OpenAPI document: the name of the API, the body of its errors, and where its vendor has the document, if it
   * does. It is always at `/<id>/openapi.json`.
   */
  readonly documentation: { readonly title: string; readonly error: z.ZodType; readonly path?: string }
  /**
   * Set where reads of a task show its body: only then is it kept with the task. For this, every key of its bodies is
   * documented and has a limit of its own.
   */
  readonly showsBodies?: true
  /** Paths of the vendor's API that have no route here. A request there is told so, whatever its method. */
  readonly notOffered?: readonly { readonly path: string; readonly what: string }[]
  /** Beside JSON, whether bodies may be multipart forms: their fields are texts under their own names. */
  readonly takesForms?: true
  /** The dialect's error answer. `requestId` is the one in the log and in the answer's header. */
  readonly renderRefusal: (refusal: Refusal, context: { readonly requestId: Id<'req'> }) => JsonAnswer
  /** The body of a callback about a task that has ended; only where requests can name a callback. */
  readonly renderCallback?: (task: Task, context: Pick<RenderContext, 'urlOf'>) => Json
}
