import type { Dialect } from '../dialects/dialect.ts'

/** Segments that base URLs have once too often, or lack. */
const OPTIONAL_SEGMENTS = ['v1', 'api']

/**
 * The route that a request to an unknown path was most likely meant for, such as `POST /openai/v1/videos`: one whose path
 * differs in the case of its letters, or in the segments that a configured base URL doubles or leaves out.
 */
export function likelyPath(dialects: readonly Dialect[], method: string, path: string): string | undefined {
  const asked = essentialsOf(path)
  if (asked.length === 0) return undefined
  const routes = dialects.flatMap(({ id, isBelowPrefixOnly, routes }) =>
    (isBelowPrefixOnly === true ? [`/${id}`] : ['', `/${id}`]).flatMap((prefix) =>
      routes.map((route) => ({ method: route.method, path: `${prefix}${route.path}` })),
    ),
  )
  const alike = routes.filter((route) => isAlike(asked, essentialsOf(route.path)))
  const meant = alike.find((route) => route.method === method) ?? alike[0]
  return meant === undefined ? undefined : `${meant.method} ${meant.path}`
}

function essentialsOf(path: string): string[] {
  const segments = path.split('?')[0]?.toLowerCase().split('/') ?? []
  return segments.filter((segment) => segment !== '' && !OPTIONAL_SEGMENTS.includes(segment))
}

function isAlike(asked: readonly string[], known: readonly string[]): boolean {
  return (
    asked.length === known.length &&
    known.every((segment, index) => segment.startsWith(':') || segment === asked[index])
  )
}
