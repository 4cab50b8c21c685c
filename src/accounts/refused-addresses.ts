import { Refusal } from '../canonical/refusal.ts'
import { FixedWindows } from './fixed-windows.ts'
import { rateLimitState } from './rate-limit.ts'

/**
 * Requests without a valid key that an address may make in a minute before it is told to wait: three times what the smallest
 * plan has, so that several clients behind one address still learn what is wrong with their keys.
 */
export const REFUSED_PER_MINUTE = 300

/** Addresses counted at once, at 410 bytes each. Beyond it the oldest starts anew: the counting has no cost that it could spare. */
const MAX_ADDRESSES = 20_000

/** Counts requests that are refused before it is known whose they are: by where they come from. */
export class RefusedAddresses {
  readonly #windows: FixedWindows

  constructor({ now }: { readonly now: () => number }) {
    this.#windows = new FixedWindows({ now, maxWindows: MAX_ADDRESSES })
  }

  /** The refusal that a request gets whose key was refused: its own, or, past the limit of its address, to wait. */
  count(prefix: string, refusal: Refusal): Refusal {
    const { allowed, resetAfterSeconds } = rateLimitState(this.#windows.take(prefix, REFUSED_PER_MINUTE))
    return allowed ? refusal : tooManyRefused(resetAfterSeconds, refusal)
  }
}

/** What an address is told that sent too many requests without a valid key. Requests with one are not concerned. */
export function tooManyRefused(retryAfterSeconds: number, cause?: Refusal): Refusal {
  return new Refusal(
    'rate_limited',
    `Too many requests without a valid API key came from this address; try again in ${retryAfterSeconds} s, with a valid one.`,
    { retryAfterSeconds, cause },
  )
}
