import type { FileId } from './ids.ts'
import type { ReferenceKind } from './reference.ts'

/** A file that a customer uploaded, as its owner may see it. */
export interface CustomerFile {
  readonly id: FileId
  readonly kind: ReferenceKind
  /** As the customer called it; for showing only. */
  readonly name: string
  /** Detected from the bytes. */
  readonly mimeType: string
  readonly sizeBytes: number
  /** Pixels as displayed; of pictures and videos. */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Measured; of videos and audio. */
  readonly durationSeconds: number | undefined
  readonly createdAt: Date
  /** From then on no new request can name it. */
  readonly expiresAt: Date
}

/** One page of an account's files. */
export interface FilePage {
  readonly files: readonly CustomerFile[]
  /** Whether there are more beyond the last one. */
  readonly hasMore: boolean
}
