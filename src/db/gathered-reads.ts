/** How a kind of read is gathered. */
export interface GatheredReadOptions<Question, Answer> {
  /** One statement for all of the questions; answers in their order. */
  readonly read: (questions: readonly Question[]) => Promise<readonly Answer[]>
  /** Questions in one statement. */
  readonly maxBatch: number
  /** Statements under way at once. */
  readonly maxInFlight: number
}

interface Waiting<Question, Answer> {
  readonly question: Question
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Small reads that many requests make at once, in few statements. A read waits for nothing while a statement may start; what
 * comes while all are under way goes together with the next one. So the database is asked a bounded number of times in each
 * round trip, however many requests come.
 */
export class GatheredReads<Question, Answer> {
  readonly #options: GatheredReadOptions<Question, Answer>
  readonly #waiting: Waiting<Question, Answer>[] = []
  #inFlight = 0

  constructor(options: GatheredReadOptions<Question, Answer>) {
    this.#options = options
  }

  /** Throws what the statement throws: all questions of that statement fail alike. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject })
      this.#startRead()
    })
  }

  #startRead(): void {
    const { maxBatch, maxInFlight } = this.#options
    if (this.#inFlight >= maxInFlight || this.#waiting.length === 0) return
    this.#inFlight += 1
    // What the event loop reads in this same turn belongs to this statement.
    setImmediate(async () => {
      await this.#answer(this.#waiting.splice(0, maxBatch))
      this.#inFlight -= 1
      this.#startRead()
    })
  }

  async #answer(batch: readonly Waiting<Question, Answer>[]): Promise<void> {
    if (batch.length === 0) return
    try {
      const answers = await this.#options.read(batch.map(({ question }) => question))
      if (answers.length !== batch.length) throw new Error(`${answers.length} answers to ${batch.length} questions`)
      for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
