import process from 'node:process'

/** Shorter than this, one run is within the error of the clock: it is repeated. */
const LEAST_MS = 4

/**
 * Milliseconds of processor time that one run of `work` takes, at its best of several: what the machine does besides is not
 * counted, and a collection of garbage falls into one of them.
 */
export function cpuMs(work: () => unknown, rounds = 5): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const began = process.cpuUsage()
    let runs = 0
    let spentMs = 0
    do {
      work()
      runs += 1
      const { user, system } = process.cpuUsage(began)
      spentMs = (user + system) / 1_000
    } while (spentMs < LEAST_MS)
    best = Math.min(best, spentMs / runs)
  }
  return best
}

/** How many of the inputs that seem to take longest are measured again: one look at each is within what chance does. */
const FINALISTS = 8

/** The input that takes the most processor time, and how much. */
export function mostCostly<Input>(
  inputs: readonly Input[],
  work: (input: Input) => unknown,
): { readonly input: Input; readonly ms: number } {
  const measure = (rounds: number) => (input: Input) => ({ input, ms: cpuMs(() => work(input), rounds) })
  const descending = (one: { readonly ms: number }, other: { readonly ms: number }) => other.ms - one.ms
  const seeming = inputs.map(measure(1)).sort(descending).slice(0, FINALISTS)
  const [worst] = seeming.map(({ input }) => measure(5)(input)).sort(descending)
  if (worst === undefined) throw new Error('there is nothing to measure')
  return worst
}
