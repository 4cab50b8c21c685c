/** To the thread: run this. */
export interface ThreadOrder<Input = unknown> {
  /** URL of a module that exports `run`, a function of the input. What it takes and answers has to pass between threads. */
  readonly module: string
  readonly input: Input
}

/** From the thread, about the order that it has. */
export type ThreadReport<Answer = unknown> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** What `run` threw. Of an error only its message, its stack and its cause pass between threads. */
  | { readonly kind: 'failed'; readonly error: unknown }
