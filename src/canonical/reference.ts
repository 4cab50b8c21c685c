/** Files that a customer brings to a request: pictures to start from or to go by, videos to change or to continue. */
import type { FileId, TaskId } from './ids.ts'

export const REFERENCE_KINDS = ['image', 'video', 'audio'] as const
export type ReferenceKind = (typeof REFERENCE_KINDS)[number]

export const REFERENCE_ROLES = [
  /** The picture that the video starts with. */
  'firstFrame',
  /** The picture that it ends with. */
  'lastFrame',
  /** What is to appear in it; named `<IMAGE_1>`, `<IMAGE_2>`, … in the prompt, in the order given. */
  'reference',
  /** The video that is edited or extended. */
  'source',
] as const
export type ReferenceRole = (typeof REFERENCE_ROLES)[number]

/** Where a request says that a reference is. */
export type ReferenceOrigin =
  /** An https URL, a data URI, or a link of this installation to a file or a video of the same account. */
  | { readonly kind: 'url'; readonly url: string }
  /** An id that the Files API gave, as the caller wrote it. */
  | { readonly kind: 'file'; readonly id: string }
  /** A file in the multipart form that the request is, by the name of its field. */
  | { readonly kind: 'upload'; readonly part: string }
  /** The finished video of a task of the same account; the id as the caller wrote it, in the form of any dialect. */
  | { readonly kind: 'task'; readonly id: string }

/** A reference as a dialect read it from a body: nothing about it has been looked at yet. */
export interface AskedReference {
  readonly role: ReferenceRole
  /** Where it stands in the caller's body, for error messages: `params.referenceMediaItems.0.url`. */
  readonly field: string
  readonly origin: ReferenceOrigin
  /** What the caller says that it is; what it is found to be must agree. */
  readonly declared?: DeclaredReference
}

export interface DeclaredReference {
  readonly kind?: ReferenceKind
  readonly durationSeconds?: number
  /** Our signed statement of the file's measured duration, from the Files API. */
  readonly durationToken?: string
  /** Whether a video or audio is refused without a valid `durationToken`, as Rivya documents. */
  readonly needsDurationToken?: true
}

/** A reference that was fetched, examined and stored: what a provider is given. Part of a task's stored request. */
export interface Reference {
  readonly role: ReferenceRole
  readonly fileId: FileId
  readonly kind: ReferenceKind
  /** Detected from the bytes, e.g. `image/png`. */
  readonly mimeType: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  readonly storeKey: string
  /** Pixels as displayed; of pictures and videos. */
  readonly width?: number
  readonly height?: number
  /** Measured, to the millisecond; of videos and audio. */
  readonly durationSeconds?: number
  /** Set when it is the video of a task of the same account. */
  readonly taskId?: TaskId
}
