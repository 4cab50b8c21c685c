/**
 * The attempts whose provider this process is calling, and the jobs that it has been told were accepted but has not saved
 * yet. Such a job goes into the journal and then into the database, which is tried again for as long as the process lives:
 * what is known of a job that somebody bills is never given up.
 */
import type { Logger } from 'pino'
import type { AttemptId } from '../canonical/ids.ts'
import type { AcceptedJob, AcceptedJournal } from './accepted-journal.ts'

/** A disk that takes longer than this, a share that hangs say, does not hold up the database, which is the better place. */
const JOURNAL_PATIENCE_MS = 1_000

/** Pauses between tries to save a job: the first ones for a hiccup, the last one for ever. */
const SAVE_PAUSES_MS = [200, 500, 1_000, 2_500, 5_000]

export class AcceptedJobs {
  readonly #journal: AcceptedJournal
  readonly #log: Logger
  readonly #inHand = new Set<AttemptId>()
  /** Accepted jobs that neither the journal nor the database has. */
  readonly #inMemory = new Set<AttemptId>()
  readonly #givenUp = new AbortController()
  #waiting: (() => void)[] = []

  constructor(journal: AcceptedJournal, log: Logger) {
    this.#journal = journal
    this.#log = log
  }

  /** Whether this process is calling a provider for an attempt, or saving what came of it. */
  isInHand(attempt: AttemptId): boolean {
    return this.#inHand.has(attempt)
  }

  /** Says that an attempt is in this process' hands, until it is disposed of. */
  hold(attempt: AttemptId): Disposable {
    this.#inHand.add(attempt)
    return { [Symbol.dispose]: () => void this.#inHand.delete(attempt) }
  }

  /**
   * Writes an accepted job into the journal. A disk that refuses is logged: the job is then in memory alone until the
   * database has it.
   */
  async write(job: AcceptedJob): Promise<void> {
    this.#inMemory.add(job.attempt)
    const written = this.#journal.append(job).then(
      () => this.#isSafe(job.attempt),
      (err: unknown) =>
        this.#log.error(
          { err, ...job },
          'an accepted job could not be written to the journal: it is kept in memory until it is saved',
        ),
    )
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, JOURNAL_PATIENCE_MS)
    })
    await Promise.race([written, patience])
    clearTimeout(timer)
  }

  /**
   * Runs `save` until it answers. Each time that it throws, a job which the disk has refused is offered to the disk again.
   * @throws what `save` threw last, once `giveUp` was called.
   */
  async untilSaved<Saved>(job: AcceptedJob, save: () => Promise<Saved>): Promise<Saved> {
    const { signal } = this.#givenUp
    for (let tries = 0; ; tries += 1) {
      try {
        const saved = await save()
        this.#journal.remove(job.attempt)
        this.#isSafe(job.attempt)
        return saved
      } catch (err) {
        const about = { err, ...job }
        if (signal.aborted) throw err
        if (tries === 0) this.#log.error(about, 'an accepted job could not be saved; it is tried again until it is')
        else if (this.#inMemory.has(job.attempt)) await this.write(job)
        await pause(SAVE_PAUSES_MS[Math.min(tries, SAVE_PAUSES_MS.length - 1)] ?? 0, signal)
      }
    }
  }

  /** Answers once every accepted job is in the journal or in the database. */
  async whenSafe(): Promise<void> {
    if (this.#inMemory.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The database will not come back in the life of this process: what is in the journal is left to the next one. */
  giveUp(): void {
    this.#givenUp.abort()
  }

  #isSafe(attempt: AttemptId): void {
    this.#inMemory.delete(attempt)
    if (this.#inMemory.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
