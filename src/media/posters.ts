/**
 * Posters and spritesheets, drawn in a child process: a decoder meets bytes from outside, and when it crashes it takes
 * one picture with it and not the server. The child starts with the first, stays warm for the next, and ends when it is
 * idle, when it is disposed of, and when its parent is gone.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../isolation/child-environment.ts'
import { type PosterAnswer, type PosterRequest, posterAnswerSchema } from './poster-messages.ts'

/** A poster takes 0.1 s, a spritesheet 1 s, the start of the child 1 s; 4K on a busy machine a few. Longer, and it hangs. */
const PICTURE_TIMEOUT_MS = 30_000

/** The child holds some 100 MB; after a minute without work they are worth more than the second a start takes. */
const IDLE_EXIT_MS = 60_000

/** Pictures that may wait for the one child. Past this videos go without: a picture must not delay them. */
const MAX_WAITING = 64

/** What Ctrl-C and service managers send to the whole group of processes. The child ignores them once it has started. */
const STOP_SIGNALS: readonly (string | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

const CHILD = fileURLToPath(new URL('./poster-process.ts', import.meta.url))

export interface Poster {
  readonly width: number
  readonly height: number
}

export interface PostersOptions {
  readonly timeoutMs?: number
  readonly idleExitMs?: number
  /** Module of the child, for tests. */
  readonly child?: string
}

export class Posters implements AsyncDisposable {
  readonly #timeoutMs: number
  readonly #idleExitMs: number
  readonly #module: string
  #child: ChildProcess | undefined
  #idle: NodeJS.Timeout | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isDisposed = false

  constructor(options: PostersOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? PICTURE_TIMEOUT_MS
    this.#idleExitMs = options.idleExitMs ?? IDLE_EXIT_MS
    this.#module = options.child ?? CHILD
  }

  /** Process id of the child while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Writes a poster or a spritesheet as a JPEG to `picturePath`. Throws when the video cannot be decoded, when the child
   * crashes or takes too long, and when too many wait already. One is made at a time.
   */
  async make(request: PosterRequest): Promise<Poster> {
    if (this.#waiting >= MAX_WAITING) throw new Error(`${MAX_WAITING} pictures are waiting already.`)
    this.#waiting += 1
    const made = this.#queue.then(() => this.#askTwice(request))
    this.#queue = made.catch(() => {})
    return made.finally(() => {
      this.#waiting -= 1
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    const child = this.#child
    if (child === undefined) return
    // It was let go of when it became idle; now its end is waited for.
    child.ref()
    const ended = once(child, 'exit')
    this.#end(child)
    await ended
  }

  /** A stop that met the child while it was starting is no reason for a video to go without a picture for good. */
  async #askTwice(request: PosterRequest): Promise<Poster> {
    const child = this.#childNow()
    try {
      return await this.#ask(child, request)
    } catch (error) {
      if (!STOP_SIGNALS.includes(child.signalCode)) throw error
      return await this.#ask(this.#childNow(), request)
    }
  }

  #childNow(): ChildProcess {
    if (this.#isDisposed) throw new Error('Posters are no longer made: the server is stopping.')
    return this.#child ?? this.#start()
  }

  async #ask(child: ChildProcess, request: PosterRequest): Promise<Poster> {
    clearTimeout(this.#idle)
    child.ref()
    child.channel?.ref()
    try {
      const answer = await answerOf(child, request, this.#timeoutMs)
      if (answer.kind === 'failed') throw new Error(`The ${request.kind} could not be made: ${answer.message}`)
      this.#idle = setTimeout(() => this.#end(child), this.#idleExitMs).unref()
      return answer
    } catch (error) {
      // Whatever state the decoder is in, the next picture gets a fresh one.
      this.#end(child)
      throw error
    } finally {
      // A warm child alone must not keep this process alive.
      child.unref()
      child.channel?.unref()
    }
  }

  #start(): ChildProcess {
    const child = fork(this.#module, {
      execArgv: ['--import', import.meta.resolve('tsx')],
      env: childEnvironment(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.once('exit', () => this.#forget(child)).on('error', () => this.#forget(child))
    this.#child = child
    return child
  }

  #end(child: ChildProcess): void {
    clearTimeout(this.#idle)
    this.#forget(child)
    child.kill('SIGKILL')
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined
  }
}

/** Sends a request and waits for the answer, the child's end, or the end of patience. */
function answerOf(child: ChildProcess, request: PosterRequest, timeoutMs: number): Promise<PosterAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage).off('exit', onExit).off('error', onError)
      act()
    }
    const onMessage = (message: unknown) => {
      const parsed = posterAnswerSchema.safeParse(message)
      if (parsed.success) settle(() => resolve(parsed.data))
      else settle(() => reject(new Error('The poster process gave no sensible answer.', { cause: parsed.error })))
    }
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`The poster process ended with ${signal ?? code}.`)))
    const onError = (cause: Error) => settle(() => reject(new Error('The poster process is not there.', { cause })))
    const timer = setTimeout(
      () => settle(() => reject(new Error(`The ${request.kind} took more than ${timeoutMs / 1000} s.`))),
      timeoutMs,
    )
    child.on('message', onMessage).once('exit', onExit).on('error', onError)
    child.send(request, (error) => error !== null && onError(error))
  })
}
