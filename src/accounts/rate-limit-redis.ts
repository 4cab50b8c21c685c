/**
 * Rate limits that many nodes share. One script counts one request: one round trip, atomic, by the clock of Redis, so
 * that nodes whose clocks differ agree on the window. Keys expire with their windows.
 *
 * When Redis is away (refused, lost, silent for `ANSWER_WITHIN_MS`, or answering with an error) the node counts in its
 * own memory instead, from nothing: requests go on, each node allows up to the whole limit, and nobody waits. Refusing
 * everybody for want of a counter would be worse than counting too little for a while. The client goes on connecting,
 * and from the first answer on the shared windows count again. What was counted in memory meanwhile is not added.
 */
import { Redis } from 'ioredis'
import { RATE_WINDOW_MS, type RateLimiter, type RateLimitState, type RateWindow, rateLimitState } from './rate-limit.ts'
import { MemoryRateLimiter } from './rate-limit-memory.ts'

/**
 * A round trip takes about 1 ms within a data centre. Half a second is an outage and no pause of ours, and a request that
 * waits so long, once, is still answered in good time.
 */
const ANSWER_WITHIN_MS = 500

/** An address that swallows packets: the start of the server waits for no longer than this. */
const CONNECT_WITHIN_MS = 2_000

/** Between attempts to connect: soon after a restart, and no storm during an outage. */
const RETRY_FIRST_MS = 50
const RETRY_AT_MOST_MS = 1_000

/** A socket whose other end is silent does not answer to being closed, either. */
const CLOSE_WITHIN_MS = 100

/**
 * KEYS[1] the window; ARGV[1] the limit, ARGV[2] the length of a window in ms. Returns whether the request is allowed (1
 * or 0), the requests counted, the end of the window and the time, both in ms since 1970. As in memory, a window that
 * ends later than one that began now was made before the clock was set back, and is over. It is sent whole each time:
 * 700 bytes, and a Redis that was restarted and has forgotten its scripts makes no difference.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = redis.call('HMGET', KEYS[1], 'used', 'ends')
local used, ends = tonumber(window[1]) or 0, tonumber(window[2]) or 0
if ends <= now or ends > now + ARGV[2] then
  used, ends = 0, now + ARGV[2]
end
if used >= tonumber(ARGV[1]) then
  return {0, used, ends, now}
end
used = used + 1
redis.call('HSET', KEYS[1], 'used', used, 'ends', string.format('%.0f', ends))
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends))
return {1, used, ends, now}
`

export interface RedisRateLimiterOptions {
  /** `redis://…`, or `rediss://…` for TLS. */
  readonly url: string
  /** Redis went away, and why. Called once each time. */
  readonly onAway: (reason: unknown) => void
  /** Redis is back, after `onAway`. */
  readonly onBack: () => void
  /** Counts while Redis is away. */
  readonly local?: MemoryRateLimiter
}

/** The limits of all nodes that share one Redis. */
export class RedisRateLimiter implements RateLimiter, AsyncDisposable {
  readonly #redis: Redis
  readonly #options: RedisRateLimiterOptions
  readonly #local: MemoryRateLimiter
  #isAway = false
  /** The connection was given up and is not closed yet. */
  #isGivenUp = false

  private constructor(options: RedisRateLimiterOptions) {
    this.#options = options
    this.#local = options.local ?? new MemoryRateLimiter()
    this.#redis = new Redis(options.url, {
      lazyConnect: true,
      // A request is counted now or, in memory, now: never later, and never twice.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_WITHIN_MS,
      disconnectTimeout: CLOSE_WITHIN_MS,
      // For the commands with which a connection begins; a take gives up earlier, by itself.
      commandTimeout: CONNECT_WITHIN_MS,
      retryStrategy: (attempt) => Math.min(RETRY_FIRST_MS * attempt, RETRY_AT_MOST_MS),
      // A primary that became a replica: its address may lead to the new primary.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    })
    this.#redis.on('error', (error) => this.#lost(error))
    this.#redis.on('close', this.#closed)
    this.#redis.on('ready', () => this.#found())
  }

  /** Connects. A Redis that is away does not keep a server from starting: it then begins as if Redis had gone away. */
  static async open(options: RedisRateLimiterOptions): Promise<RedisRateLimiter> {
    const limiter = new RedisRateLimiter(options)
    await limiter.#redis.connect().catch((error: unknown) => limiter.#lost(error))
    return limiter
  }

  take(window: RateWindow, limit: number): RateLimitState | Promise<RateLimitState> {
    if (this.#isGivenUp || this.#redis.status !== 'ready') return this.#takeLocally(window, limit)
    return this.#takeShared(window, limit)
  }

  async #takeShared(window: RateWindow, limit: number): Promise<RateLimitState> {
    try {
      const { account, mode, kind } = window
      const answer = this.#redis.eval(TAKE, 1, `reelay:rate:${account}:${mode}:${kind}`, limit, RATE_WINDOW_MS)
      const [allowed, used, endsAtMs, nowMs] = readNumbers(await this.#inTime(answer))
      this.#found()
      return rateLimitState({ allowed: allowed === 1, limit, used, endsAtMs, nowMs })
    } catch (error) {
      this.#lost(error)
      return this.#takeLocally(window, limit)
    }
  }

  #takeLocally(window: RateWindow, limit: number): RateLimitState {
    return this.#local.take(window, limit)
  }

  /**
   * The answer, unless it takes too long; then the connection is given up, and with it whatever else waits for it. The
   * clock alone does not decide: after a pause of this process timers come before the answers that have long arrived, so
   * the timer lets the event loop read its sockets once.
   */
  #inTime(answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = () => {
        reject(new Error(`Redis did not answer within ${ANSWER_WITHIN_MS} ms.`))
        this.#giveUp()
      }
      let lastLook: NodeJS.Immediate | undefined
      const timer = setTimeout(() => {
        lastLook = setImmediate(late)
      }, ANSWER_WITHIN_MS)
      const stop = () => {
        clearTimeout(timer)
        clearImmediate(lastLook)
      }
      answer.finally(stop).then(resolve, reject)
    })
  }

  /** Once for all that wait for the same connection. */
  #giveUp(): void {
    if (this.#isGivenUp) return
    this.#isGivenUp = true
    this.#redis.disconnect(true)
  }

  /** Also when there was no error, as when Redis is stopped. */
  readonly #closed = (): void => {
    this.#isGivenUp = false
    this.#lost(new Error('The connection to Redis was closed.'))
  }

  #lost(reason: unknown): void {
    if (this.#isAway) return
    this.#isAway = true
    this.#options.onAway(reason)
  }

  #found(): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#options.onBack()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.off('close', this.#closed)
    this.#redis.disconnect()
  }
}

function readNumbers(answer: unknown): readonly [allowed: number, used: number, endsAtMs: number, nowMs: number] {
  if (Array.isArray(answer)) {
    const [allowed, used, endsAtMs, nowMs]: unknown[] = answer
    if (isNumber(allowed) && isNumber(used) && isNumber(endsAtMs) && isNumber(nowMs)) {
      return [allowed, used, endsAtMs, nowMs]
    }
  }
  throw new Error('Redis did not answer with the numbers of a window.')
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
