import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../isolation/child-environment.ts'
import { isRenderReport, type RenderOrder } from './render-messages.ts'

export type RenderOutcome = { readonly kind: 'done' } | { readonly kind: 'crashed'; readonly cause: string }

/** One render process, from this side. */
export class RenderChild {
  /** Settles when the process is gone, for whatever reason. */
  readonly ended: Promise<void>
  readonly #process: ChildProcess
  #alive = true

  constructor() {
    this.#process = fork(fileURLToPath(new URL('./render-process.ts', import.meta.url)), {
      // Resolved from this file, not from the directory that the server was started in.
      execArgv: ['--import', import.meta.resolve('tsx')],
      env: childEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#alive = false
        resolve()
      }
      this.#process.once('exit', end)
      this.#process.once('error', end)
    })
    this.#release()
  }

  get alive(): boolean {
    return this.#alive
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Ends the process at once; `ended` settles when it is gone. */
  kill(): void {
    this.#alive = false
    this.#hold()
    this.#process.kill('SIGKILL')
  }

  /** Renders one clip. One at a time; never rejects. */
  async render(
    order: RenderOrder,
    onProgress: (framesDone: number, framesTotal: number) => void,
  ): Promise<RenderOutcome> {
    const child = this.#process
    this.#hold()
    return await new Promise<RenderOutcome>((resolve) => {
      const settle = (outcome: RenderOutcome) => {
        child.off('message', listen)
        this.#release()
        resolve(outcome)
      }
      const listen = (message: unknown) => {
        if (!isRenderReport(message)) return
        if (message.kind === 'progress') onProgress(message.framesDone, message.framesTotal)
        else settle(message.kind === 'done' ? message : { kind: 'crashed', cause: message.cause })
      }
      child.on('message', listen)
      void this.ended.then(() => settle({ kind: 'crashed', cause: `The render process ended (${this.#endedBy()}).` }))
      const { request, referencePaths, outputPath } = order
      child.send({ request, referencePaths, outputPath } satisfies RenderOrder, (error) => {
        if (error !== null) settle({ kind: 'crashed', cause: error.message })
      })
    })
  }

  /** A child with a job keeps this process alive; a warm one must not, when there is nothing else to do. */
  #hold(): void {
    this.#process.ref()
    this.#process.channel?.ref()
  }

  #release(): void {
    this.#process.unref()
    this.#process.channel?.unref()
  }

  #endedBy(): string {
    return this.#process.signalCode ?? `code ${this.#process.exitCode}`
  }
}
