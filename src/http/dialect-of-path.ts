import type { Dialect } from '../dialects/dialect.ts'

/**
 * The dialect that a path without a route was most likely meant for, so that even a mistyped path is answered in the
 * caller's own words: the one it is prefixed with, else the one whose paths share the most leading segments.
 */
export function dialectOfPath(dialects: readonly Dialect[], path: string): Dialect | undefined {
  const asked = segmentsOf(path)
  const named = dialects.find((dialect) => dialect.id === asked[0])
  if (named !== undefined) return named
  let best: { dialect: Dialect; shared: number } | undefined
  for (const dialect of dialects) {
    if (dialect.isBelowPrefixOnly === true) continue
    const shared = Math.max(...dialect.routes.map((route) => sharedSegments(asked, segmentsOf(route.path))))
    if (shared > (best?.shared ?? 0)) best = { dialect, shared }
  }
  return best?.dialect
}

function segmentsOf(path: string): string[] {
  return path.split('?')[0]?.split('/').filter(Boolean) ?? []
}

function sharedSegments(asked: readonly string[], known: readonly string[]): number {
  const differs = asked.findIndex((segment, index) => segment !== known[index])
  return differs === -1 ? asked.length : differs
}
