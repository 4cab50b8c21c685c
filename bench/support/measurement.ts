/** One line of the table: a ratio, or a plain figure, with the target that it is held to. */
export interface Measurement {
  readonly name: string
  readonly value: string
  /** What the ratio must reach; `undefined` for figures that are only shown. */
  readonly target?: string
  readonly met?: boolean
  readonly detail: string
}

/** A ratio that is to be at least `target`. */
export function ratio(
  name: string,
  value: number,
  { target, detail }: { target: number; detail: string },
): Measurement {
  return { name, value: value.toFixed(2), target: `≥ ${target}`, met: value >= target, detail }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
}
