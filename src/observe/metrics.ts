import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What a process counts. */
export interface Metrics {
  readonly registry: Registry
  readonly requestSeconds: Histogram<'route' | 'method' | 'status'>
  readonly created: Counter<'dialect' | 'outcome'>
  readonly deliveries: Counter<'kind' | 'outcome'>
  readonly stepLateness: Histogram<'provider'>
  readonly moderationRefusals: Counter<'source' | 'category'>
  readonly collectFaults: Counter<'provider' | 'fault'>
  readonly unusableResults: Counter<'provider' | 'fault'>
  readonly lostJobs: Counter<'provider'>
}

/** Upper bounds in seconds, from a read served from memory to a create that waits for a busy database. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Upper bounds in seconds of how late a step is taken up: from at once to worse than any poll interval. */
const LATENESS_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Tasks that have not ended, of one provider, in one state. */
export interface OpenTasks {
  readonly provider: string
  readonly state: string
  readonly tasks: number
}

const CIRCUIT_STATES = ['closed', 'half open', 'open'] as const

/** Asked at each scrape, so the numbers are the database's own. */
export interface Counts {
  readonly openTasks: () => Promise<readonly OpenTasks[]>
  /** Deliveries to be made, by kind. */
  readonly pendingDeliveries: () => Promise<ReadonlyMap<string, number>>
  /** Open tasks at providers that no live worker has, by provider. */
  readonly unconfiguredTasks?: () => Promise<ReadonlyMap<string, number>>
  /** Whether this process can store videos; `undefined` where it stores none. */
  readonly storesVideos?: () => boolean | undefined
  /** What this process thinks of the health of each provider. */
  readonly circuits?: () => ReadonlyMap<string, (typeof CIRCUIT_STATES)[number]>
}

/** Makes the metrics of one process. */
export function createMetrics(counts: Counts): Metrics {
  const { openTasks, pendingDeliveries, unconfiguredTasks, storesVideos, circuits } = counts
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'reelay_tasks',
    help: 'Tasks that have not ended, by provider and state; parked ones wait for an operator or for their provider',
    labelNames: ['provider', 'state'],
    registers,
    async collect() {
      this.reset()
      for (const { provider, state, tasks } of await openTasks()) this.set({ provider, state }, tasks)
    },
  })
  new Gauge({
    name: 'reelay_unconfigured_provider_tasks',
    help: 'Open tasks at providers that no worker has configured, by provider',
    labelNames: ['provider'],
    registers,
    async collect() {
      this.reset()
      for (const [provider, tasks] of (await unconfiguredTasks?.()) ?? []) this.set({ provider }, tasks)
    },
  })
  new Gauge({
    name: 'reelay_provider_circuit',
    help: 'Whether this process sends new jobs to a provider: 1 for the state that its circuit breaker is in',
    labelNames: ['provider', 'state'],
    registers,
    collect() {
      this.reset()
      for (const [provider, now] of circuits?.() ?? [])
        for (const state of CIRCUIT_STATES)
          this.set({ provider, state: state.replace(' ', '_') }, state === now ? 1 : 0)
    },
  })
  new Gauge({
    name: 'reelay_storage_writable',
    help: 'Whether this process can store videos: 0 while it begins no new jobs because it cannot',
    registers,
    collect() {
      this.reset()
      const storesNow = storesVideos?.()
      if (storesNow !== undefined) this.set(storesNow ? 1 : 0)
    },
  })
  new Gauge({
    name: 'reelay_deliveries_pending',
    help: 'Callbacks and uploads that are still to be made, by kind',
    labelNames: ['kind'],
    registers,
    async collect() {
      this.reset()
      for (const [kind, pending] of await pendingDeliveries()) this.set({ kind }, pending)
    },
  })
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'reelay_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer',
      labelNames: ['route', 'method', 'status'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
    created: new Counter({
      name: 'reelay_creates_total',
      help: 'Requests to create a task, by what came of them',
      labelNames: ['dialect', 'outcome'],
      registers,
    }),
    deliveries: new Counter({
      name: 'reelay_delivery_attempts_total',
      help: 'Attempts at callbacks and uploads by this process: delivered, retried (to be tried again) or failed (for good)',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    stepLateness: new Histogram({
      name: 'reelay_step_lateness_seconds',
      help: 'How long after it was due a poll, or another step of a task at a provider, was taken up',
      labelNames: ['provider'],
      buckets: LATENESS_BUCKETS,
      registers,
    }),
    collectFaults: new Counter({
      name: 'reelay_collect_faults_total',
      help: 'Times that a finished video could not be fetched or stored, by provider and what was wrong; most are tried again',
      labelNames: ['provider', 'fault'],
      registers,
    }),
    unusableResults: new Counter({
      name: 'reelay_unusable_results_total',
      help: 'Jobs that a provider finished, for good, without a video that can be taken, by what was wrong with it',
      labelNames: ['provider', 'fault'],
      registers,
    }),
    lostJobs: new Counter({
      name: 'reelay_lost_jobs_total',
      help: 'Jobs that a provider accepted and then did not know',
      labelNames: ['provider'],
      registers,
    }),
    moderationRefusals: new Counter({
      name: 'reelay_moderation_refusals_total',
      help: 'Prompts that the content policy refused, by who judged them (rules, endpoint) and what for',
      labelNames: ['source', 'category'],
      registers,
    }),
  }
}
