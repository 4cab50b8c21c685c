/**
 * Waiting in tests. A wait ends when what it waits for has made no progress for a while, never at a time of the clock: the
 * same test passes on a machine whose cores are busy with other work. Two things count as progress: a change in what the
 * look reports as seen (a task's state, say), and other processes at work on every core, which leave ours no turn.
 */
import assert from 'node:assert/strict'
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** Nothing here takes longer on a machine with a free core, from one sign of progress to the next. */
const PATIENCE_MS = 30_000

/**
 * How fast patience runs out while every core is busy. A hang on a busy machine ends after ten times the patience; the load
 * itself may be the tests', so the wait cannot be endless.
 */
const BUSY_PACE = 0.1

/** How often the load of the machine is read. */
const LOAD_EVERY_MS = 250

const LOOK_EVERY_MS = 25

/** A budget of time without progress. It runs out more slowly while the machine is busy. */
export class Patience {
  readonly #budgetMs: number
  #spentMs = 0
  #readAt = performance.now()
  #idleMs = idleMs()

  constructor(budgetMs = PATIENCE_MS) {
    this.#budgetMs = budgetMs
  }

  /** There was progress: the budget is whole again. */
  renew(): void {
    this.#read()
    this.#spentMs = 0
  }

  isOver(): boolean {
    if (performance.now() - this.#readAt >= LOAD_EVERY_MS) this.#read()
    return this.#spentMs > this.#budgetMs
  }

  /** Adds the time since the last reading, weighed by the part of the cores that was free. */
  #read(): void {
    const [now, idle] = [performance.now(), idleMs()]
    const passedMs = now - this.#readAt
    // One free core is enough for what is waited for to go on.
    const freeCores = passedMs > 0 ? (idle - this.#idleMs) / passedMs : 0
    this.#spentMs += passedMs * Math.min(1, Math.max(BUSY_PACE, freeCores))
    this.#readAt = now
    this.#idleMs = idle
  }
}

/** How long all cores have been idle, in sum, since the machine started. */
function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}

export interface WaitOptions {
  /** How long there may be no progress, on a machine with a free core. */
  readonly patienceMs?: number
  readonly lookEveryMs?: number
}

/** Reports what a look has seen: when it differs from the look before, there was progress. */
export type Seen = (...what: readonly unknown[]) => void

/**
 * Looks again and again until there is something other than `undefined` or `false`, and returns it. Throws, naming `what` and
 * what was seen last, after too long without progress.
 */
export async function waitFor<Found>(
  what: string,
  look: (seen: Seen) => Promise<Found | undefined | false> | Found | undefined | false,
  { patienceMs = PATIENCE_MS, lookEveryMs = LOOK_EVERY_MS }: WaitOptions = {},
): Promise<Found> {
  const patience = new Patience(patienceMs)
  let last: string | undefined
  const seen: Seen = (...now) => {
    const text = JSON.stringify(now)
    if (text !== last) patience.renew()
    last = text
  }
  for (;;) {
    const found = await look(seen)
    if (found !== undefined && found !== false) return found
    if (patience.isOver()) {
      const message = `waited in vain for ${what}: no progress${last === undefined ? '' : `, last seen ${last}`}`
      throw new assert.AssertionError({ message })
    }
    await delay(lookEveryMs)
  }
}

/** The value, or `undefined` when it takes longer than the patience. */
export async function within<Value>(patienceMs: number, value: Promise<Value>): Promise<Value | undefined> {
  let settled: { readonly value: Value } | undefined
  const done = value.then((value) => {
    settled = { value }
  })
  const patience = new Patience(patienceMs)
  while (settled === undefined && !patience.isOver()) {
    const pause = new AbortController()
    await Promise.race([done, delay(LOAD_EVERY_MS, undefined, { signal: pause.signal }).catch(() => undefined)])
    pause.abort()
  }
  return settled?.value
}
