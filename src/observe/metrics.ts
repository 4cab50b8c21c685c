import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the HTTP side counts. */
export interface Metrics {
  readonly registry: Registry
  readonly requestSeconds: Histogram<'route' | 'method' | 'status'>
  readonly created: Counter<'dialect' | 'outcome'>
}

/** Upper bounds in seconds, from a read served from memory to a create that waits for a busy database. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Makes the metrics of one process. `countTasks` is asked at each scrape, so the numbers are the database's own. */
export function createMetrics(countTasks: () => Promise<ReadonlyMap<string, number>>): Metrics {
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
      for (const [state, tasks] of await countTasks()) this.set({ state }, tasks)
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
  }
}
