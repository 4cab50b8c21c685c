/**
 * A fair semaphore: turns at something scarce (memory, a thread, a connection of the database), shared between keys, which
 * are accounts as a rule. Whatever one key does, another one finds a free turn or stands first in the line for the next:
 *
 *   share     the more turns are held, the fewer one key may have of them, so that the last free ones are for keys that
 *             have none (`mayTake`)
 *   order     a turn that becomes free goes to the waiting key that holds the fewest; among equals to the one that was
 *             served the longest ago; within one key in the order of arrival
 *   waiting   how many of one key may wait, and for how long, is bounded for each key by itself: waiting of one key never
 *             refuses another
 */

export interface TurnLimits {
  /** Turns held at once, by all keys together. */
  readonly atOnce: number
  /**
   * Of them, those that one key holds at most, which it reaches only while no other key holds any. By default all: right
   * for turns that are over soon, and wrong for those that a customer can draw out.
   */
  readonly ofOneKey?: number
  /** How many of one key may wait; the next one is refused. Unbounded by default. */
  readonly waitingOfOneKey?: number
  /** After so long a wait ends with a refusal. Without it, a wait ends by its turn or its signal alone. */
  readonly waitMs?: number
}

export interface TurnOptions<Key> {
  /** For whom the turn is. Those without a key count as one. */
  readonly key?: Key | undefined
  /** Ends the wait: the turn is not wanted any more. */
  readonly signal?: AbortSignal | undefined
}

/** Why there was no turn: its key has too many that wait already, or it has waited as long as one may. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn'
  readonly because: 'too many wait' | 'waited too long'

  constructor(because: NoTurn['because']) {
    super(`No turn: ${because}.`)
    this.because = because
  }
}

/**
 * Whether a key that holds `held` turns may have one more while `free` are free. A key without any takes whatever is free.
 * Beyond the first, it holds fewer than `ofOneKey / (atOnce - ofOneKey)` for each free one: alone it gets to `ofOneKey`,
 * and beside others to less, so that 16 turns of which one key has 4 at most are all held by 8 keys or more.
 */
export function mayTake(
  { held, free }: { readonly held: number; readonly free: number },
  { atOnce, ofOneKey }: Required<Pick<TurnLimits, 'atOnce' | 'ofOneKey'>>,
): boolean {
  return free > 0 && (held === 0 || held * (atOnce - ofOneKey) < ofOneKey * free)
}

interface Waiting {
  readonly begin: () => void
}

export class Turns<Key = never> {
  readonly #limits: Required<TurnLimits>
  readonly #held = new Map<Key | undefined, number>()
  /** By key, none of them empty; first the key that was served the longest ago. */
  readonly #lines = new Map<Key | undefined, Waiting[]>()
  #free: number

  constructor({ atOnce, ofOneKey = atOnce, waitingOfOneKey = Infinity, waitMs = Infinity }: TurnLimits) {
    if (ofOneKey < 1 || ofOneKey > atOnce) throw new RangeError('ofOneKey must be from 1 to atOnce')
    this.#limits = { atOnce, ofOneKey, waitingOfOneKey, waitMs }
    this.#free = atOnce
  }

  /** How many wait, of all keys together. */
  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.length, 0)
  }

  /**
   * Does `work` once there is a turn, which ends with it.
   * @throws what the work throws; `NoTurn`; the signal's reason, where it is aborted before the turn has come.
   */
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
   * @throws `NoTurn`; the signal's reason, where it is aborted before the turn has come.
   */
  async take(options: TurnOptions<Key> = {}): Promise<() => void> {
    await this.#enter(options)
    return this.#releaseOf(options.key)
  }

  /** A turn where one may be had at this moment; answers how to give it back. `undefined`: it would have to wait. */
  tryTake(key?: Key): (() => void) | undefined {
    if (!this.#hasTurnFor(key)) return undefined
    this.#hold(key)
    return this.#releaseOf(key)
  }

  /** Nothing to wait for where a turn is free. */
  #enter({ key, signal }: TurnOptions<Key>): Promise<void> | undefined {
    signal?.throwIfAborted()
    if (!this.#hasTurnFor(key)) return this.#wait(key, signal)
    this.#hold(key)
    return undefined
  }

  #hasTurnFor(key: Key | undefined): boolean {
    return mayTake({ held: this.#heldBy(key), free: this.#free }, this.#limits)
  }

  #heldBy(key: Key | undefined): number {
    return this.#held.get(key) ?? 0
  }

  #hold(key: Key | undefined): void {
    this.#free -= 1
    this.#held.set(key, this.#heldBy(key) + 1)
  }

  #releaseOf(key: Key | undefined): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#release(key)
    }
  }

  #release(key: Key | undefined): void {
    this.#free += 1
    const left = this.#heldBy(key) - 1
    if (left === 0) this.#held.delete(key)
    else this.#held.set(key, left)
    // One turn more may be within the share of more keys than one: what is free grows for each of them.
    for (let next = this.#nextLine(); next !== undefined; next = this.#nextLine()) this.#serve(next)
  }

  /** The key to be served next, with its line; `undefined` where none may have a turn. */
  #nextLine(): readonly [Key | undefined, Waiting[]] | undefined {
    let next: readonly [Key | undefined, Waiting[]] | undefined
    for (const line of this.#lines) {
      const [key] = line
      if (this.#hasTurnFor(key) && (next === undefined || this.#heldBy(key) < this.#heldBy(next[0]))) next = line
    }
    return next
  }

  #serve([key, line]: readonly [Key | undefined, Waiting[]]): void {
    const [first] = line.splice(0, 1)
    // To the end: now it is the others' turn.
    this.#lines.delete(key)
    if (line.length > 0) this.#lines.set(key, line)
    this.#hold(key)
    first?.begin()
  }

  #wait(key: Key | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { waitingOfOneKey, waitMs } = this.#limits
    const line = this.#lines.get(key) ?? []
    if (line.length >= waitingOfOneKey) throw new NoTurn('too many wait')
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(late)
        signal?.removeEventListener('abort', leave)
      }
      const waiting: Waiting = {
        begin: () => {
          settle()
          resolve()
        },
      }
      const giveUp = (reason: unknown) => {
        settle()
        line.splice(line.indexOf(waiting), 1)
        if (line.length === 0) this.#lines.delete(key)
        reject(reason)
      }
      const leave = () => giveUp(signal?.reason)
      const late = waitMs === Infinity ? undefined : setTimeout(() => giveUp(new NoTurn('waited too long')), waitMs)
      // What waits is held by a connection as a rule: the wait by itself keeps no process from ending.
      late?.unref()
      signal?.addEventListener('abort', leave, { once: true })
      line.push(waiting)
      this.#lines.set(key, line)
    })
  }
}
