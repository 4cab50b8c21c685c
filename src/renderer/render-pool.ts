/**
 * Runs renders in processes of their own, so that FFmpeg and the canvas can neither block the API's event loop nor take
 * it down. At most `concurrency` at once; further jobs wait, and customers take turns however their jobs came here: the next
 * render is of the customer that has the fewest. A process that has done its job stays warm for the next one for a while. A process that dies fails the job that it had, and no other.
 *
 *   waiting ──► rendering ──► done
 *      │            └───────► crashed
 *      └─(cancel, forget)──► unknown
 */
import { rmSync } from 'node:fs'
import { type GenerationRequest, outputSeconds } from '../canonical/generation.ts'
import { Turns } from '../isolation/turns.ts'
import { FRAMES_PER_SECOND } from './encode/encoder.ts'
import { RenderChild } from './render-child.ts'
import { unfinishedPath } from './unfinished-path.ts'

/** A warm process holds some 220 MB (480p; 470 MB after 1080p): after this long without a job it is let go. */
const IDLE_MS = 60_000

export interface RenderJob {
  readonly id: string
  /** Whose job it is: any name that is equal for equal customers. Jobs without one count as one customer's. */
  readonly customer?: string | undefined
  readonly request: GenerationRequest
  /** Absolute paths of local files, one for each of the request's references, in their order. */
  readonly referencePaths?: readonly string[]
  /** Absolute path of the MP4. A file that stands there is always whole. */
  readonly outputPath: string
}

export type RenderState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'rendering'; readonly framesDone: number; readonly framesTotal: number }
  | { readonly kind: 'done'; readonly path: string }
  | { readonly kind: 'crashed'; readonly cause: string }

interface Entry {
  readonly job: RenderJob
  /** Aborts when it is not wanted any more. */
  readonly unwanted: AbortController
  state: RenderState
  child: RenderChild | undefined
}

export class RenderPool implements AsyncDisposable {
  readonly #turns: Turns<string>
  readonly #entries = new Map<string, Entry>()
  readonly #children = new Set<RenderChild>()
  readonly #idle = new Map<RenderChild, NodeJS.Timeout>()
  #closed = false

  constructor({ concurrency }: { readonly concurrency: number }) {
    if (!Number.isInteger(concurrency) || concurrency < 1) throw new RangeError('concurrency must be 1 or more')
    this.#turns = new Turns({ atOnce: concurrency })
  }

  /** Takes a job, unless one with its id is known in any state. */
  start(job: RenderJob): void {
    if (this.#closed) throw new Error('The render pool is closed.')
    if (this.#entries.has(job.id)) return
    const entry: Entry = { job, unwanted: new AbortController(), state: { kind: 'waiting' }, child: undefined }
    this.#entries.set(job.id, entry)
    const release = this.#turns.tryTake(job.customer)
    if (release === undefined) void this.#wait(entry)
    else void this.#run(entry).finally(release)
  }

  /** Where a job stands; undefined for one that was never started here, was cancelled, or was forgotten. */
  state(id: string): RenderState | undefined {
    return this.#entries.get(id)?.state
  }

  /** Stops a job and forgets it; nothing of it stays on disk but a file that was whole already. Twice is once. */
  cancel(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    entry.unwanted.abort()
    // A render is one long run of native calls: ending its process is the only stop that is sure.
    entry.child?.kill()
  }

  /** Drops what is known of a job that is done or crashed; one that is not is cancelled. Its file stays. */
  forget(id: string): void {
    const kind = this.state(id)?.kind
    if (kind === 'done' || kind === 'crashed') this.#entries.delete(id)
    else this.cancel(id)
  }

  /** Process ids of the children, for tests that kill them. */
  get processIds(): readonly number[] {
    return [...this.#children].flatMap((child) => child.pid ?? [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const { unwanted } of this.#entries.values()) unwanted.abort()
    for (const timer of this.#idle.values()) clearTimeout(timer)
    for (const child of this.#children) child.kill()
    await Promise.all([...this.#children].map((child) => child.ended))
  }

  async #wait(entry: Entry): Promise<void> {
    const { unwanted, job } = entry
    let release: () => void
    try {
      release = await this.#turns.take({ key: job.customer, signal: unwanted.signal })
    } catch {
      // It was canceled, and there is nothing of it.
      return
    }
    // Canceled at the very moment at which its turn came.
    if (unwanted.signal.aborted) release()
    else await this.#run(entry).finally(release)
  }

  async #run(entry: Entry): Promise<void> {
    const { request, referencePaths = [], outputPath } = entry.job
    const child = this.#freeChild()
    entry.child = child
    entry.state = {
      kind: 'rendering',
      framesDone: 0,
      framesTotal: Math.round(outputSeconds(request) * FRAMES_PER_SECOND),
    }
    const outcome = await child.render({ request, referencePaths, outputPath }, (framesDone, framesTotal) => {
      entry.state = { kind: 'rendering', framesDone, framesTotal }
    })
    entry.child = undefined
    if (outcome.kind === 'done') {
      entry.state = { kind: 'done', path: outputPath }
    } else {
      entry.state = { kind: 'crashed', cause: outcome.cause }
      removeUnfinished(entry.job)
    }
    this.#rest(child)
    // One that was killed takes memory until it is gone.
    if (!child.alive) await child.ended
  }

  /** A warm process, or a new one: never more than there are turns. */
  #freeChild(): RenderChild {
    const [warm] = this.#idle.keys()
    if (warm !== undefined) {
      clearTimeout(this.#idle.get(warm))
      this.#idle.delete(warm)
      return warm
    }
    const child = new RenderChild()
    this.#children.add(child)
    void child.ended.then(() => {
      this.#children.delete(child)
      clearTimeout(this.#idle.get(child))
      this.#idle.delete(child)
    })
    return child
  }

  #rest(child: RenderChild): void {
    if (!child.alive || this.#closed) return
    const timer = setTimeout(() => child.kill(), IDLE_MS)
    timer.unref()
    this.#idle.set(child, timer)
  }
}

/** Removes what a killed process left half written. */
function removeUnfinished({ outputPath }: RenderJob): void {
  try {
    rmSync(unfinishedPath(outputPath), { force: true })
  } catch {
    // A folder that cannot be reached is why the render failed, and is already told.
  }
}
