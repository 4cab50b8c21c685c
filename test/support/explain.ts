/**
 * What PostgreSQL really does for a statement of the code, also for those inside of its functions: `auto_explain` sends each
 * plan, with the rows that each step met, to the client that runs the statement. Plans are generic, as a prepared statement's
 * are from its sixth execution on.
 */
import type pg from 'pg'
import { z } from 'zod'
import { openPool } from '../../src/db/database.ts'

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string | undefined
  readonly 'Index Name'?: string | undefined
  readonly 'Actual Rows'?: number | undefined
  readonly 'Actual Loops'?: number | undefined
  readonly 'Rows Removed by Filter'?: number | undefined
  readonly Plans?: PlanNode[] | undefined
}

const planNode: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Index Name': z.string().optional(),
    'Actual Rows': z.number().optional(),
    'Actual Loops': z.number().optional(),
    'Rows Removed by Filter': z.number().optional(),
    Plans: z.array(planNode).optional(),
  }),
)
const explained = z.object({ 'Query Text': z.string(), Plan: planNode })

/** One step of a plan, with all of its loops together. */
export interface PlanStep {
  readonly statement: string
  readonly kind: string
  readonly relation: string | undefined
  readonly index: string | undefined
  readonly rows: number
  readonly discarded: number
}

/** A pool of one connection, all of whose statements are explained. */
export class ExplainedPool implements AsyncDisposable {
  readonly pool: pg.Pool
  readonly #steps: PlanStep[] = []

  constructor(connectionString: string) {
    this.pool = openPool(
      {
        connectionString,
        onConnect: async (client) => {
          client.on('notice', ({ message }) => this.#take(message ?? ''))
          await client.query(`load 'auto_explain'; set auto_explain.log_analyze = on;
            set auto_explain.log_nested_statements = on; set auto_explain.log_format = json;
            set auto_explain.log_level = notice; set auto_explain.log_min_duration = 0;
            set plan_cache_mode = force_generic_plan`)
        },
      },
      1,
    )
  }

  /** The steps of all plans since the last call. */
  taken(): PlanStep[] {
    return this.#steps.splice(0)
  }

  #take(message: string): void {
    const json = /plan:\n(\{[\s\S]*\})$/.exec(message)?.[1]
    if (json === undefined) return
    const { 'Query Text': statement, Plan: plan } = explained.parse(JSON.parse(json))
    this.#add(statement, plan)
  }

  #add(statement: string, node: PlanNode): void {
    const loops = node['Actual Loops'] ?? 1
    this.#steps.push({
      statement,
      kind: node['Node Type'],
      relation: node['Relation Name'],
      index: node['Index Name'],
      rows: (node['Actual Rows'] ?? 0) * loops,
      discarded: (node['Rows Removed by Filter'] ?? 0) * loops,
    })
    for (const child of node.Plans ?? []) this.#add(statement, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.end()
  }
}
