/**
 * What has been opened, to be closed in reverse order. (Node 20 knows `await using` only through the compiler and lacks
 * `AsyncDisposableStack`.)
 */
export class Cleanup implements AsyncDisposable {
  #steps: (() => unknown)[] = []

  /** Closes `resource` when this is disposed of. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.defer(() => resource[Symbol.asyncDispose]())
    return resource
  }

  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** One step of several that begin at once: none waits for another, and the step before waits for all. */
  together(...steps: readonly (() => unknown)[]): void {
    this.defer(async () => {
      const ends = await Promise.allSettled(steps.map(async (step) => step()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    })
  }

  /** Hands everything over to a new owner: disposing of this one then does nothing. */
  move(): Cleanup {
    const heir = new Cleanup()
    heir.#steps = this.#steps
    this.#steps = []
    return heir
  }

  /** Closes everything, even when a step throws; the first error is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
