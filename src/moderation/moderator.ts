/**
 * The moderation step: stands before submission, when nothing is reserved and nothing fetched. The rules come first, for
 * they cost nothing and tell nobody; then the endpoint, where one is configured. Every refusal leaves a line in the log
 * and a row in the database, neither of which has the prompt.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Counter } from 'prom-client'
import type { AccountId, Id } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Queryable } from '../db/database.ts'
import { type Category, SENTENCES } from './category.ts'
import { type EndpointSettings, type EndpointVerdict, ModerationEndpoint } from './moderation-endpoint.ts'
import { insertModerationRefusal, type ModerationRefusal } from './queries.ts'
import { judgePrompt } from './rules/judge-prompt.ts'

export interface ModeratorOptions {
  /** Whether the built-in rules are asked. */
  readonly rules: boolean
  readonly endpoint?: EndpointSettings | undefined
  readonly db: Queryable
  readonly log: Logger
  /** Counts refusals. */
  readonly refusals?: Counter<'source' | 'category'>
}

export interface CheckedPrompt {
  readonly prompt: string
  readonly mode: string
  /** Whether the request brings a picture or video. */
  readonly hasPicture: boolean
  readonly account: { readonly id: AccountId; readonly spicyAllowed: boolean }
  readonly dialect: string
  readonly requestId: Id<'req'>
  /** Aborts when nobody waits for the answer any more; asked for only where the prompt is sent away. */
  readonly leaving?: () => AbortSignal
}

/** A refusal does not wait longer for its row: it is in the log already. */
const AUDIT_PATIENCE_MS = 2_000

/** Where the endpoint says nothing: it restarts, or limits by the minute. */
const DEFAULT_RETRY_SECONDS = 5
const MAX_RETRY_SECONDS = 60
const MS_PER_SECOND = 1_000

/** OpenAI's names of what is a category of ours; whatever else an endpoint flags is its own policy. */
const CATEGORY_OF: ReadonlyMap<string, Category> = new Map([
  ['sexual/minors', 'sexual_minors'],
  ['sexual', 'explicit'],
])

/** What may be written down of an endpoint's words. */
const PLAIN_NAME = /^[a-z][a-z0-9/_-]{0,63}$/

export class Moderator implements AsyncDisposable {
  readonly #options: ModeratorOptions
  readonly #endpoint: ModerationEndpoint | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: ModeratorOptions) {
    this.#options = options
    this.#endpoint = options.endpoint === undefined ? undefined : new ModerationEndpoint(options.endpoint)
  }

  /**
   * Returns if the prompt may be used.
   * @throws Refusal `moderated`; or `unavailable` where the endpoint cannot judge it and is to be waited for.
   */
  async check(asked: CheckedPrompt): Promise<void> {
    const checking = this.#judge(asked)
    this.#underWay.add(checking)
    await checking.finally(() => this.#underWay.delete(checking))
  }

  async #judge(asked: CheckedPrompt): Promise<void> {
    // A picture may speak for itself; nobody here looks at pictures.
    if (asked.prompt.trim() === '') return
    const { spicyAllowed } = asked.account
    const verdict = this.#options.rules ? judgePrompt({ ...asked, spicyAllowed }) : undefined
    if (verdict?.kind === 'refused') await this.#refuse(asked, { ...verdict, source: 'rules' })
    if (this.#endpoint === undefined) return
    const signal = asked.leaving?.()
    const judged = await this.#endpoint.judge(asked.prompt, signal)
    // Who hangs up while a prompt is judged does not get it past the judge.
    if (judged.kind === 'away' && signal?.aborted === true) {
      throw new Refusal('unavailable', 'Nobody waited for the prompt to be checked.')
    }
    if (judged.kind === 'away') this.#whenAway(asked, judged)
    if (judged.kind === 'flagged' && !isSpicyAlone(asked, judged.categories)) {
      await this.#refuse(asked, { ...named(judged.categories), source: 'endpoint' })
    }
  }

  async #refuse(asked: CheckedPrompt, by: Pick<ModerationRefusal, 'source' | 'rule' | 'category'>): Promise<never> {
    const { source, rule, category } = by
    const { account, requestId, dialect, prompt } = asked
    const promptSha256 = createHash('sha256').update(prompt).digest('hex')
    const refusal = { source, rule, category, account: account.id, requestId, dialect, promptSha256 }
    this.#options.refusals?.inc({ source, category })
    this.#options.log.warn(refusal, 'a prompt was refused')
    await this.#record(refusal)
    throw new Refusal('moderated', SENTENCES[category])
  }

  /** A refusal stands, whatever becomes of its row. */
  async #record(refusal: ModerationRefusal): Promise<void> {
    const { db, log } = this.#options
    const { requestId } = refusal
    const written = insertModerationRefusal(db, refusal).catch((error: unknown) =>
      log.error({ err: error, requestId }, 'a refused prompt could not be recorded'),
    )
    const end = new AbortController()
    // Aborting the timer rejects it, which is nobody's concern.
    const patience = delay(AUDIT_PATIENCE_MS, undefined, { signal: end.signal }).catch(() => undefined)
    await Promise.race([written, patience])
    end.abort()
  }

  #whenAway({ requestId }: CheckedPrompt, { cause, retryAfterMs }: Extract<EndpointVerdict, { kind: 'away' }>): void {
    const whenAway = this.#options.endpoint?.whenAway
    this.#options.log.warn({ cause, requestId, whenAway }, 'the moderation endpoint did not judge a prompt')
    if (whenAway === 'allow') return
    const seconds = retryAfterMs === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(retryAfterMs / MS_PER_SECOND)
    throw new Refusal('unavailable', 'The prompt cannot be checked at the moment; try again.', {
      retryAfterSeconds: Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS),
    })
  }

  /** Waits for the prompts that are being judged: a reload replaces a moderator under them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await this.#endpoint?.[Symbol.asyncDispose]()
  }
}

/** What an account that is allowed the mode spicy asked for: not against the policy, whatever an endpoint calls it. */
function isSpicyAlone({ mode, account }: CheckedPrompt, categories: readonly string[]): boolean {
  return (
    mode === 'spicy' && account.spicyAllowed && categories.length > 0 && categories.every((each) => each === 'sexual')
  )
}

/** The gravest of what was flagged. */
function named(categories: readonly string[]): Pick<ModerationRefusal, 'rule' | 'category'> {
  const rule = [...CATEGORY_OF.keys()].find((name) => categories.includes(name)) ?? categories[0] ?? 'flagged'
  return { rule: PLAIN_NAME.test(rule) ? rule : 'other', category: CATEGORY_OF.get(rule) ?? 'policy' }
}
