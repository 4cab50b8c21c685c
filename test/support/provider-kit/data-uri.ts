import type { Json } from '../../../src/canonical/json.ts'

/** The bytes of a data URI; none of anything else. */
export function bytesOfDataUri(uri: Json | undefined): Buffer {
  const base64 = typeof uri === 'string' ? /^data:[a-z]+\/[a-z0-9]+;base64,(.+)$/.exec(uri)?.[1] : undefined
  return Buffer.from(base64 ?? '', 'base64')
}
