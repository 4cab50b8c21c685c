/**
 * One lane for each provider: it admits queued tasks to the provider's free slots and takes the steps that are due. The
 * lanes share nothing but the database, so a provider that hangs delays no other.
 */
import { PLANS } from '../accounts/plans.ts'
import { faultPoint } from '../observe/fault-point.ts'
import { advance } from '../tasks/advance.ts'
import { admitTasks, claimDueTasks, countActive, type LeasedTask } from '../tasks/lease-queries.ts'
import type { StepContext } from '../tasks/step-context.ts'

/** A lease outlives the longest call of a step (30 s) and its writes; a worker that dies is replaced after it. */
const LEASE_MS = 45_000

/** Steps of one provider under way at once in one worker; each may hold a database connection for a moment. */
const MAX_STEPS = 64

/** From being admitted to being given up. The slowest upstreams of this field take minutes. */
const TASK_DEADLINE_MS = 60 * 60_000

/** The sweep: how long a wake-up that was lost can delay a task. */
const SWEEP_MS = 1_000

const PLAN_LIMITS = Object.fromEntries(Object.entries(PLANS).map(([name, plan]) => [name, plan.concurrentTasks]))

export class Lane {
  readonly #context: StepContext
  readonly #worker: string
  readonly #steps = new Set<Promise<void>>()
  #wake: (() => void) | undefined
  #awake = false

  constructor(context: StepContext, worker: string) {
    this.#context = context
    this.#worker = worker
  }

  /** Something may be due: look now. */
  wake(): void {
    this.#awake = true
    this.#wake?.()
  }

  /** Works until the context's signal is aborted, then waits for the steps that are under way. */
  async run(): Promise<void> {
    const { signal, log, provider } = this.#context
    signal.addEventListener('abort', () => this.wake(), { once: true })
    while (!signal.aborted) {
      this.#awake = false
      try {
        const found = (await this.#admit()) + (await this.#claim())
        if (found > 0 && this.#steps.size < MAX_STEPS) continue
      } catch (error) {
        log.error({ err: error, provider: provider.id }, 'the queue could not be read')
      }
      await this.#pause(Math.min(SWEEP_MS, provider.pollEveryMs))
    }
    await Promise.allSettled(this.#steps)
  }

  async #admit(): Promise<number> {
    const { db, provider } = this.#context
    const owner = provider.affinity === 'worker' ? this.#worker : undefined
    const free = Math.min(provider.concurrency - (await countActive(db, provider.id, owner)), this.#room())
    if (free <= 0) return 0
    // Others may be admitting at this moment: the database counts again, alone, and so exactly.
    const { concurrency, affinity } = provider
    const limits = { concurrency, affinity, planLimits: PLAN_LIMITS, deadlineMs: TASK_DEADLINE_MS }
    const tasks = await admitTasks(db, { ...this.#lease(free), ...limits })
    if (tasks.length > 0) await faultPoint('admit.committed')
    return this.#take(tasks)
  }

  async #claim(): Promise<number> {
    if (this.#room() <= 0) return 0
    return this.#take(await claimDueTasks(this.#context.db, this.#lease(this.#room())))
  }

  #lease(limit: number): { provider: string; worker: string; limit: number; leaseMs: number } {
    return { provider: this.#context.provider.id, worker: this.#worker, limit, leaseMs: LEASE_MS }
  }

  #room(): number {
    return MAX_STEPS - this.#steps.size
  }

  #take(tasks: readonly LeasedTask[]): number {
    for (const task of tasks) {
      const step = this.#step(task).finally(() => {
        this.#steps.delete(step)
        this.wake()
      })
      this.#steps.add(step)
    }
    return tasks.length
  }

  /** A step that throws changes nothing: its lease runs out and the task is taken up again. */
  async #step(task: LeasedTask): Promise<void> {
    try {
      await advance(this.#context, task)
    } catch (error) {
      this.#context.log.error({ err: error, task: task.id, state: task.state }, 'a step failed; it will be taken again')
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#awake || this.#context.signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}
