/** Longest long poll: proxies commonly cut a silent connection after a minute. */
const MAX_WAIT_SECONDS = 60

/**
 * Reads `Prefer: wait=<seconds>` (RFC 7240, 4.3), capped. A preference that is not understood is ignored, as the
 * standard demands.
 */
export function preferredWait(header: string | string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().join(',')
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(preferences)?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS)
}
