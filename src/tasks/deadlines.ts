/** How long things may take that only others can end. */
export interface Deadlines {
  /** From a slot at a provider to being given up. */
  readonly taskSeconds: number
  /** How long an attempt of which nobody knows whether it arrived holds its credits. */
  readonly uncertainSeconds: number
}

/** The slowest upstreams of this field take minutes; an answer that comes after an hour is not waited for. */
export const DEFAULT_DEADLINES: Deadlines = { taskSeconds: 3_600, uncertainSeconds: 3_600 }
