/** What a plan allows. */
export interface Plan {
  /** Tasks under way at once, for each of an account's wallets; what is beyond waits in the queue. */
  readonly concurrentTasks: number
  /** Days for which results are kept. */
  readonly keepResultsDays: number
  /** Days for which uploaded files are kept. */
  readonly keepFilesDays: number
  /** Bytes of files, uploaded or fetched for requests, that are stored at a time; equal ones of an account count once. */
  readonly maxStoredBytes: number
  /** Requests a minute of an account: so many that create, and so many others. */
  readonly requestsPerMinute: number
}

export const PLAN_NAMES = ['free', 'pro', 'enterprise'] as const
export type PlanName = (typeof PLAN_NAMES)[number]

const GIB = 1024 ** 3

/**
 * Concurrency and requests as promised to customers; results are kept longer the more a customer is likely to depend on
 * them, and uploads, which the customer has elsewhere, for less long. What is stored of files has room for twenty of the
 * largest, a video of 50 MiB, and more where more tasks run and uploads stay longer; it bounds what one account, by mistake
 * or on purpose, takes of everybody's disk: at its rate limit it could upload 5 GiB a minute.
 */
export const PLANS: Readonly<Record<PlanName, Plan>> = {
  free: {
    concurrentTasks: 2,
    keepResultsDays: 7,
    keepFilesDays: 2,
    maxStoredBytes: GIB,
    requestsPerMinute: 100,
  },
  pro: {
    concurrentTasks: 10,
    keepResultsDays: 30,
    keepFilesDays: 7,
    maxStoredBytes: 20 * GIB,
    requestsPerMinute: 1_000,
  },
  enterprise: {
    concurrentTasks: 50,
    keepResultsDays: 90,
    keepFilesDays: 30,
    maxStoredBytes: 200 * GIB,
    requestsPerMinute: 5_000,
  },
}

/** An override above this is as good as none: 16,000 requests a second. The table has the same bound. */
export const MAX_REQUESTS_PER_MINUTE = 1_000_000

/** Requests a minute of one account: its own number if it has one, else its plan's. */
export function requestsPerMinuteOf(account: {
  readonly plan: PlanName
  readonly requestsPerMinute: number | undefined
}): number {
  return account.requestsPerMinute ?? PLANS[account.plan].requestsPerMinute
}

export function isPlanName(word: string): word is PlanName {
  return (PLAN_NAMES as readonly string[]).includes(word)
}
