/** Why a task that was accepted did not end in a video. Each dialect has its own words for these. */
export const FAILURE_REASONS = [
  /** The prompt or the result was refused by a content policy. */
  'moderated',
  /** The provider cannot take this input (a file type, a size) and never will. */
  'unsupported_input',
  /** The provider accepted the task, worked, and failed. */
  'generation_failed',
  /** No provider could be reached or had room before the deadline. */
  'provider_unavailable',
  /** A fault of our own. */
  'internal',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** A failure as it is stored with the task and shown to its owner. */
export interface Failure {
  readonly reason: FailureReason
  /** One sentence for the customer; never an upstream's secret, address or stack. */
  readonly message: string
}
