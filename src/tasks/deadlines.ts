/** How long things may take that only others can end. */
export interface Deadlines {
  /**
   * How long a provider may work on a job that it has accepted, and how long it may take until one accepts it. Time in which no
   * worker looked does not count, nor that in which a finished video is being fetched and stored.
   */
  readonly taskSeconds: number
  /**
   * How long an attempt of which nobody knows whether it arrived holds its credits; and how long past its deadline a task does whose
   * provider does not answer.
   */
  readonly uncertainSeconds: number
}

/** The slowest upstreams of this field take minutes; an answer that comes after an hour is not waited for. */
export const DEFAULT_DEADLINES: Deadlines = { taskSeconds: 3_600, uncertainSeconds: 3_600 }
