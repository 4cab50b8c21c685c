import type { ReferenceKind } from '../canonical/reference.ts'

/** What the first bytes of a file say that it is. */
export interface DetectedType {
  readonly kind: ReferenceKind
  readonly mimeType: string
  /** Of a file name, without the dot. */
  readonly ending: string
}

/** A customer's file on this disk: received whole and of a type that is taken, but not yet looked into. */
export interface ReceivedFile extends DetectedType {
  /** Below the scratch folder; whoever received it deletes it. */
  readonly path: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  /** As the customer called it; empty where it has no name. */
  readonly name: string
}

/** A received file that was looked into: whole, decodable, and within the limits. */
export interface ExaminedFile extends ReceivedFile {
  /** Pixels as displayed; of pictures and videos. */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Measured, to the millisecond; of videos and audio. */
  readonly durationSeconds: number | undefined
}
