/** How many turns there are. */
export interface TurnLimits {
  readonly atOnce: number
  /** Of them, those that one key may have; by default all. */
  readonly ofOneKey?: number
}

export interface TurnOptions<Key> {
  /** For whom the turn is. Those without a key count as one. */
  readonly key?: Key
  /** Gives up the place of somebody who still waits. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Lets so many at a time do something that costs much memory. The others wait: the keys take turns, so that a key with
 * a hundred waiting is ahead of another's first by one at most; among those of one key, in the order in which they came.
 */
export class Turns<Key = never> {
  readonly #limits: Required<TurnLimits>
  readonly #held = new Map<Key | undefined, number>()
  /** By key, none of them empty; first the key that has waited longest for a turn. */
  readonly #queues = new Map<Key | undefined, (() => void)[]>()
  #all = 0

  constructor({ atOnce, ofOneKey = atOnce }: TurnLimits) {
    this.#limits = { atOnce, ofOneKey }
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.length, 0)
  }

  /** @throws what the work throws; the signal's reason, where it is aborted before the turn has come. */
  async run<T>(work: () => Promise<T>, options: TurnOptions<Key> = {}): Promise<T> {
    const turn = this.#enter(options)
    if (turn !== undefined) await turn
    try {
      return await work()
    } finally {
      this.#release(options.key)
    }
  }

  /**
   * Waits for a turn; answers how to give it back, which may be done twice.
   * @throws the signal's reason, where it is aborted before the turn has come.
   */
  async take(options: TurnOptions<Key> = {}): Promise<() => void> {
    await this.#enter(options)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#release(options.key)
    }
  }

  /** Nothing to wait for where a turn is free. */
  #enter({ key, signal }: TurnOptions<Key>): Promise<void> | undefined {
    signal?.throwIfAborted()
    if (!this.#hasRoom(key)) return this.#wait(key, signal)
    this.#hold(key)
    return undefined
  }

  #hasRoom(key: Key | undefined): boolean {
    return this.#all < this.#limits.atOnce && (this.#held.get(key) ?? 0) < this.#limits.ofOneKey
  }

  #hold(key: Key | undefined): void {
    this.#all += 1
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
  }

  #release(key: Key | undefined): void {
    this.#all -= 1
    const left = (this.#held.get(key) ?? 1) - 1
    if (left === 0) this.#held.delete(key)
    else this.#held.set(key, left)
    for (const [next, queue] of [...this.#queues]) {
      if (!this.#hasRoom(next)) continue
      const [begin] = queue.splice(0, 1)
      // To the end: now it is the others' turn.
      this.#queues.delete(next)
      if (queue.length > 0) this.#queues.set(next, queue)
      this.#hold(next)
      begin?.()
    }
  }

  #wait(key: Key | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        const queue = this.#queues.get(key) ?? []
        queue.splice(queue.indexOf(begin), 1)
        if (queue.length === 0) this.#queues.delete(key)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      const queue = this.#queues.get(key)
      if (queue === undefined) this.#queues.set(key, [begin])
      else queue.push(begin)
    })
  }
}
