import type { Json } from '../../../src/canonical/json.ts'
import type { CallKind, RefusalKind } from './speech.ts'

/** What a scripted upstream does to one call instead of answering it well. */
export type Fault =
  /** Answers well. */
  | { readonly kind: 'none' }
  /** Answers well, later. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** The call does its work, and is answered well once `until` is settled. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Refuses in the vendor's words: nothing is made. */
  | { readonly kind: 'refuse'; readonly why: RefusalKind; readonly headers?: Readonly<Record<string, string>> }
  /** `makesJob`: the call does its work, and only its answer says otherwise. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly makesJob?: true
    }
  /** The connection is reset and nothing is made, as if the request had not been read. */
  | { readonly kind: 'reset before reading' }
  /** The call does its work, and the connection is reset instead of an answer. */
  | { readonly kind: 'reset after reading' }
  /** The call does its work, and the answer ends after so many bytes, its head counted. */
  | { readonly kind: 'cut answer'; readonly atByte: number }
  /** The call does its work, and its body ends after so many bytes, though more were announced. */
  | { readonly kind: 'cut body'; readonly atByte: number }
  /** The call does its work, and there is never an answer. */
  | { readonly kind: 'hang' }
  /** The call does its work, and a proxy's page comes with 200. */
  | { readonly kind: 'html' }
  /** The call does its work, and the JSON lacks its second half, in an answer that is whole as HTTP. */
  | { readonly kind: 'truncated json' }
  /** Answers well, with a body that is compressed whatever was asked for. */
  | { readonly kind: 'coded'; readonly coding: 'gzip' | 'deflate' | 'br' }
  /** The call does its work; this is what is said instead, with 200. */
  | { readonly kind: 'say'; readonly json: Json }

/** Kinds of calls that a script is for; `file` is a download from the vendor's file host. */
export type FaultTarget = CallKind | 'file'

/** One fault for each call of a kind, in order; after the last one `then`, for ever; by default all is well. */
export interface FaultScript {
  readonly faults: readonly Fault[]
  readonly then?: Fault
}
