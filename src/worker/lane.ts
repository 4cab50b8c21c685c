/**
 * One lane for each provider: it admits queued tasks to the provider's free slots and takes the steps that are due. The
 * lanes share nothing but the database, so a provider that hangs delays no other.
 */
import { PLANS } from '../accounts/plans.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { ActiveProvider } from '../tasks/active-provider.ts'
import { advance } from '../tasks/advance.ts'
import { admitTasks, claimDueTasks, countActive, type LeasedTask } from '../tasks/lease-queries.ts'
import { PollSaver } from '../tasks/poll-saver.ts'
import { type QueueWalk, rerouteQueued } from '../tasks/reroute.ts'
import { Room } from '../tasks/room.ts'
import type { StartCall, StepContext } from '../tasks/step-context.ts'
import { StartBudget } from './start-budget.ts'
import type { StorageWatch } from './storage-watch.ts'

/** A lease outlives the longest call of a step (30 s) and its writes; a worker that dies is replaced after it. */
const LEASE_MS = 45_000

/** Starts of one provider under way at once in one worker: each may hold files of its request in memory. */
const MAX_STARTS = 64

/** Videos of one provider that are being fetched and stored: each is a file, a connection and a lease to be renewed. */
const MAX_COLLECTED = 128

/**
 * Polls of one provider under way at once in one worker. 10,000 jobs take 2,000 a second; each is under way for the vendor's
 * tenth of a second and waits as long again to be claimed and saved in company. A claim takes as many as there are places.
 */
const MAX_POLLS = 1_024

/** The same while the provider is ill: enough to notice that it is well again. */
const MAX_POLLS_WHILE_ILL = 64

/** The sweep: how long a wake-up that was lost can delay a task. */
const SWEEP_MS = 1_000

const PLAN_LIMITS = Object.fromEntries(Object.entries(PLANS).map(([name, plan]) => [name, plan.concurrentTasks]))

type OfOneLane = 'provider' | 'isRetired' | 'breaker' | 'polls' | 'collecting' | 'mayStart'

/** What all lanes of a worker work with; the provider, its health and the lane's places are each lane's own. */
export interface LaneContext extends Omit<StepContext, OfOneLane> {
  readonly storage: StepContext['storage'] & Pick<StorageWatch, 'fault'>
  /** Aborted when the process begins to stop: no step begins from then on. `signal` later cuts off those under way. */
  readonly stopping: AbortSignal
  /** Told how late a step of a provider was taken up after it was due. */
  readonly onClaimed?: (provider: string, lateMs: number) => void
}

export class Lane {
  readonly #common: LaneContext
  readonly #active: ActiveProvider
  readonly #worker: string
  readonly #budget = new StartBudget(() => performance.now())
  readonly #polls: PollSaver
  readonly #collecting = new Room(MAX_COLLECTED)
  readonly #walk: QueueWalk = { after: undefined }
  readonly #steps = new Set<Promise<void>>()
  /** Of the steps, those that hand a task to the provider. */
  #starts = 0
  #wake: (() => void) | undefined
  #awake = false

  constructor(common: LaneContext, { active, worker }: { readonly active: ActiveProvider; readonly worker: string }) {
    this.#common = common
    this.#active = active
    this.#worker = worker
    this.#polls = new PollSaver(common.db)
  }

  /** With the provider as it is configured now. */
  #context(mayStart: StepContext['mayStart'] = (call) => this.#mayStart(call)): StepContext {
    const { provider, isRetired, breaker } = this.#active
    const ofThisLane = { provider, isRetired, breaker, polls: this.#polls, collecting: this.#collecting, mayStart }
    return { ...this.#common, ...ofThisLane }
  }

  /** Something may be due: look now. */
  wake(): void {
    this.#awake = true
    this.#wake?.()
  }

  /** Works until the process begins to stop, then waits for the steps that are under way. */
  async run(): Promise<void> {
    const { stopping, log } = this.#common
    const wake = () => this.wake()
    stopping.addEventListener('abort', wake, { once: true })
    while (!stopping.aborted && !this.#active.isForgotten) {
      this.#awake = false
      try {
        const found = (await this.#admit()) + (await this.#claim())
        if (found > 0 && this.#pollRoom() > 0) continue
      } catch (error) {
        log.error({ err: error, provider: this.#active.provider.id }, 'the queue could not be read')
      }
      await this.#pause(Math.min(SWEEP_MS, this.#active.provider.pollEveryMs))
    }
    await Promise.allSettled(this.#steps)
    stopping.removeEventListener('abort', wake)
  }

  async #admit(): Promise<number> {
    const { provider, breaker, isRetired } = this.#active
    const { db, storage } = this.#common
    if (isRetired || breaker.state === 'open') return await rerouteQueued(this.#context(), this.#walk)
    if (storage.fault !== undefined) return 0
    const owner = provider.affinity === 'worker' ? this.#worker : undefined
    const budget = this.#budget.left(provider.requestsPerMinute)
    const wanted = Math.min(breaker.allows(this.#startRoom()), budget)
    if (wanted <= 0) return 0
    const active = await countActive(db, provider.id, owner)
    if (active === undefined) return 0
    const free = Math.min(provider.concurrency - active, wanted)
    if (free <= 0) return 0
    // Others may be admitting at this moment: the database counts again, alone, and so exactly.
    const { concurrency, affinity } = provider
    const deadlineMs = this.#common.deadlines.taskSeconds * 1_000
    const limits = { concurrency, affinity, planLimits: PLAN_LIMITS, deadlineMs }
    const tasks = await admitTasks(db, { ...this.#lease(free), ...limits })
    breaker.sent(tasks.length)
    this.#budget.spend(tasks.length)
    if (tasks.length > 0) await faultPoint('admit.committed')
    // What they are to spend has been taken off already.
    return this.#take(
      tasks,
      this.#context(() => true),
    )
  }

  /** Leave to call a start that was claimed and not admitted: a new try, or a repeat, takes of the same limits. */
  #mayStart(call: StartCall): boolean {
    const { provider, breaker } = this.#active
    // A repeat may tell of a job that there is already.
    if (call === 'new' && this.#common.storage.fault !== undefined) return false
    if (breaker.allows(1) < 1 || this.#budget.left(provider.requestsPerMinute) < 1) return false
    breaker.sent(1)
    this.#budget.spend(1)
    return true
  }

  async #claim(): Promise<number> {
    const [polls, starts] = [this.#pollRoom(), this.#startRoom()]
    if (polls <= 0 && starts <= 0) return 0
    const { db, onClaimed } = this.#common
    const due = await claimDueTasks(db, { ...this.#lease(Math.max(0, polls)), startsLimit: Math.max(0, starts) })
    for (const { lateMs } of due) onClaimed?.(this.#active.provider.id, lateMs)
    return this.#take(due, this.#context())
  }

  #lease(limit: number): { provider: string; worker: string; limit: number; leaseMs: number } {
    return { provider: this.#active.provider.id, worker: this.#worker, limit, leaseMs: LEASE_MS }
  }

  #startRoom(): number {
    return MAX_STARTS - this.#starts
  }

  #pollRoom(): number {
    const places = this.#active.breaker.state === 'closed' ? MAX_POLLS : MAX_POLLS_WHILE_ILL
    return places - (this.#steps.size - this.#starts - this.#collecting.taken)
  }

  #take(tasks: readonly LeasedTask[], context: StepContext): number {
    // Leased while the process began to stop: their leases are given back with the others.
    if (this.#common.stopping.aborted) return 0
    for (const task of tasks) {
      const start = task.state === 'submitting' ? 1 : 0
      this.#starts += start
      const step = this.#step(task, context).finally(() => {
        this.#steps.delete(step)
        this.#starts -= start
        this.wake()
      })
      this.#steps.add(step)
    }
    return tasks.length
  }

  /** A step that throws changes nothing: its lease runs out and the task is taken up again. */
  async #step(task: LeasedTask, context: StepContext): Promise<void> {
    using use = this.#active.enter()
    try {
      await advance({ ...context, provider: use.provider }, task)
    } catch (error) {
      this.#common.log.error({ err: error, task: task.id, state: task.state }, 'a step failed; it will be taken again')
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#awake || this.#common.stopping.aborted) return
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
