import type { Look } from './look.ts'

/** Shares of 256 that stay of what was seen before. */
const KEPT = { slow: 132, fast: 84 } as const

/** Blends the frames of a clip into each other where they stand, in order. Of all things that move, a trace stays. */
export function createEcho(pace: Look['pace'], bytes: number): ((planes: Uint8Array) => void) | undefined {
  if (pace === 'usual') return undefined
  const kept = KEPT[pace]
  // With eight more bits: rounded to steps, a trace would never quite fade.
  const trace = new Uint16Array(bytes)
  let isFirst = true
  return (planes) => {
    if (isFirst) for (let at = 0; at < bytes; at++) trace[at] = (planes[at] as number) << 8
    isFirst = false
    for (let at = 0; at < bytes; at++) {
      const now = (planes[at] as number) << 8
      const mixed = now + ((((trace[at] as number) - now) * kept) >> 8)
      trace[at] = mixed
      planes[at] = (mixed + 128) >> 8
    }
  }
}
