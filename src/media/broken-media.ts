export const BROKEN_MEDIA_REASONS = [
  /** The bytes are no MP4, MOV or WebM: an error page or a JSON answer saved under a video's name, as a rule. */
  'not_a_video',
  /** The file ends before its own index says that it does: fetched again it may be whole. */
  'truncated',
  /** A container that contradicts itself. */
  'unreadable',
  /** A whole file without a picture in it. */
  'no_picture',
  /** A whole video, but not of the length that was asked for: fetching it again gives the same. */
  'wrong_duration',
  /** More bytes than a clip has: fetching it again gives the same. */
  'too_large',
] as const
export type BrokenMediaReason = (typeof BROKEN_MEDIA_REASONS)[number]

/** A file that must not be passed off as the video that was asked for. The message says what was found instead. */
export class BrokenMedia extends Error {
  override readonly name = 'BrokenMedia'
  readonly reason: BrokenMediaReason

  constructor(reason: BrokenMediaReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
