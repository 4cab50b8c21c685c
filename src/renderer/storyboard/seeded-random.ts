/** Draws the next number of a repeatable sequence, 0 ≤ n < 1. */
export type Random = () => number

/** A repeatable sequence for a 32-bit seed (mulberry32). Everything that looks random in a clip comes from here. */
export function seededRandom(seed: number): Random {
  // Kept as a signed 32-bit number, which V8 holds without allocating.
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A number between two bounds. */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random()
}

/** One of a list that is known not to be empty. */
export function pick<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[Math.floor(random() * items.length)] ?? items[0]
}
