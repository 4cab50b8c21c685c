import { write, writeSync } from 'node:fs'
import process from 'node:process'
import type { DestinationStream } from 'pino'

/** Lines that wait for their disk or reader: some 100,000, in a process whose memory is in the hundreds of megabytes. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024

/** In one write: enough that a burst costs few system calls. */
const MAX_WRITE_CHARACTERS = 64 * 1024

/** What a pipe that is full says; at the end of the process it is given these chances to be read. */
const FULL = 'EAGAIN'
const LAST_CHANCES = 50
const LAST_CHANCE_MS = 10

/** Before what could not be written is tried again, if no further line asks for it. */
const TRY_AGAIN_MS = 1_000

/**
 * Lines on a file descriptor, in order, written while the process works on. A log that cannot be written (its disk is full, its
 * reader has gone, its terminal was closed) is no reason to stop serving: lines are kept up to a bound and written when that works
 * again, and a line says how many were lost beyond it. It never throws and never blocks.
 *
 * Pino's own destination repeats a write that failed for ever, by sleeping, when it is to be emptied at a fatal line or at the end.
 */
export class LogDestination implements DestinationStream {
  readonly #fd: number
  readonly #maxWaitingCharacters: number
  #lines: string[] = []
  #waitingCharacters = 0
  #lost = 0
  /** Taken from the lines, and not written yet. */
  #rest: Buffer = Buffer.alloc(0)
  /** What the system has been handed. */
  #underWay: Buffer | undefined
  #again: NodeJS.Timeout | undefined

  constructor(fd: number, { maxWaitingCharacters = MAX_WAITING_CHARACTERS } = {}) {
    this.#fd = fd
    this.#maxWaitingCharacters = maxWaitingCharacters
    process.once('exit', () => this.flushSync())
  }

  write(line: string): void {
    if (this.#waitingCharacters + line.length > this.#maxWaitingCharacters) this.#lost += 1
    else this.#enqueue(line)
    this.#writeOn()
  }

  /** Writes what waits before the process ends; gives up where that cannot be written. Pino calls it for fatal lines. */
  flushSync(): void {
    for (let chances = LAST_CHANCES; this.#take(); ) {
      try {
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest))
      } catch (error) {
        if (codeOf(error) !== FULL || chances === 0) return
        chances -= 1
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_CHANCE_MS)
      }
    }
  }

  #enqueue(line: string): void {
    this.#lines.push(line)
    this.#waitingCharacters += line.length
  }

  /** Whether there is anything to write in `#rest`. */
  #take(): boolean {
    if (this.#rest.length > 0) return true
    if (this.#lost > 0 && this.#lines.length === 0) {
      const told = { level: 40, time: new Date().toISOString(), lines: this.#lost, msg: 'lines of the log were lost' }
      this.#lost = 0
      this.#enqueue(`${JSON.stringify(told)}\n`)
    }
    let characters = 0
    let count = 0
    while (count < this.#lines.length && characters < MAX_WRITE_CHARACTERS) {
      characters += this.#lines[count]?.length ?? 0
      count += 1
    }
    this.#rest = Buffer.from(this.#lines.splice(0, count).join(''))
    this.#waitingCharacters -= characters
    return this.#rest.length > 0
  }

  #writeOn(): void {
    if (this.#underWay !== undefined || !this.#take()) return
    clearTimeout(this.#again)
    const underWay = this.#rest
    this.#underWay = underWay
    this.#rest = Buffer.alloc(0)
    write(this.#fd, underWay, (error, written) => {
      this.#underWay = undefined
      const left = error === null ? underWay.subarray(written) : underWay
      if (left.length > 0) this.#rest = Buffer.concat([left, this.#rest])
      if (error === null) this.#writeOn()
      else this.#writeLater(codeOf(error) === FULL ? LAST_CHANCE_MS : TRY_AGAIN_MS)
    })
  }

  #writeLater(inMs: number): void {
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.#writeOn(), inMs)
    this.#again.unref()
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
