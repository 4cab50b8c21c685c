/**
 * The contract of a dialect: an API that customers' code already speaks. A dialect reads wire bodies into canonical
 * commands and writes canonical results and refusals back in its own words. It is pure: it reaches no database, no
 * provider and no clock, so N dialects and M providers cost N + M.
 */
import type { z } from 'zod'
import type { TaskId } from '../canonical/ids.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import type { Model } from '../canonical/model.ts'
import type { Refusal, RefusalCode } from '../canonical/refusal.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { Task, TaskMedia, TaskPage } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'

/** What a route asks of the platform, by kind, and what it gets. */
export interface Commands {
  /** Create a task: `replayed` when an idempotency key was seen before with the same body. */
  create: { readonly input: CreateInput; readonly result: { readonly task: Task; readonly replayed: boolean } }
  get: { readonly input: { readonly id: TaskId }; readonly result: Task }
  list: { readonly input: ListInput; readonly result: TaskPage }
  cancel: { readonly input: { readonly id: TaskId }; readonly result: Task }
  balance: { readonly input: Record<string, never>; readonly result: { readonly availableCredits: bigint } }
  models: { readonly input: Record<string, never>; readonly result: readonly Model[] }
}
export type CommandKind = keyof Commands

export interface CreateInput {
  readonly model: string
  readonly prompt: string
  /** Model parameters under the caller's own keys; the catalog checks them. */
  readonly params: JsonObject
  /** Where they stand in the body, for error messages: `params.`, or nothing when at the top. */
  readonly paramsPath: string
  readonly clientRequestId: string | undefined
  /** 1–255 printable ASCII characters. */
  readonly idempotencyKey: string | undefined
}

export interface ListInput {
  readonly limit: number
  /** The last task of the page before. */
  readonly before: TaskId | undefined
  readonly states: readonly TaskState[] | undefined
}

/** A request as it came, its body parsed as JSON but not yet looked at. */
export interface WireRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Json | undefined
}

export interface WireAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Json
}

/** What rendering needs beside the result. */
export interface RenderContext {
  /** A signed, expiring link to a media file. */
  readonly urlOf: (media: TaskMedia) => string
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
  /** Throws a `Refusal` for anything that it does not understand. */
  readonly parse: (request: WireRequest) => Commands[Kind]['input']
  readonly render: (result: Commands[Kind]['result'], context: RenderContext) => WireAnswer
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
    answer: async (request, execute, context) => render(await execute(about.kind, parse(request)), context),
  }
}

/** How a refusal is said: exhaustive, so that a new code does not compile until each dialect has words for it. */
export type ErrorMap = Readonly<Record<RefusalCode, { readonly status: number; readonly code: string }>>

export interface Dialect {
  /** Also the prefix under which all of its routes are mounted a second time. */
  readonly id: string
  readonly routes: readonly Route[]
  /** The dialect's error answer. `requestId` is the one in the log and in the answer's header. */
  readonly renderRefusal: (refusal: Refusal, context: { readonly requestId: string }) => WireAnswer
}
