/** What a plan allows. */
export interface Plan {
  /** Tasks under way at once, for each of an account's wallets; what is beyond waits in the queue. */
  readonly concurrentTasks: number
  /** Days for which results are kept. */
  readonly keepResultsDays: number
}

export const PLAN_NAMES = ['free', 'pro', 'enterprise'] as const
export type PlanName = (typeof PLAN_NAMES)[number]

/** Concurrency as promised to customers; results are kept longer the more a customer is likely to depend on them. */
export const PLANS: Readonly<Record<PlanName, Plan>> = {
  free: { concurrentTasks: 2, keepResultsDays: 7 },
  pro: { concurrentTasks: 10, keepResultsDays: 30 },
  enterprise: { concurrentTasks: 50, keepResultsDays: 90 },
}

export function isPlanName(word: string): word is PlanName {
  return (PLAN_NAMES as readonly string[]).includes(word)
}
