import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What a process counts. */
export interface Metrics {
  readonly registry: Registry
  readonly requestSeconds: Histogram<'route' | 'method' | 'status'>
  readonly created: Counter<'dialect' | 'outcome'>
  readonly deliveries: Counter<'kind' | 'outcome'>
}

/** Upper bounds in seconds, from a read served from memory to a create that waits for a busy database. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Asked at each scrape, so the numbers are the database's own. */
export interface Counts {
  /** Open tasks by state. */
  readonly openTasks: () => Promise<ReadonlyMap<string, number>>
  /** Deliveries to be made, by kind. */
  readonly pendingDeliveries: () => Promise<ReadonlyMap<string, number>>
}

/** Makes the metrics of one process. */
export function createMetrics({ openTasks, pendingDeliveries }: Counts): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'reelay_tasks',
    help: 'Tasks that have not ended, by state',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset()
      for (const [state, tasks] of await openTasks()) this.set({ state }, tasks)
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
  }
}
