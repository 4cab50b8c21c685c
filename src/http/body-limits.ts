import type { Route } from '../dialects/dialect.ts'
import { BODY_LIMIT_BYTES, MAX_NESTING, MAX_VALUES } from './parse-json.ts'

/**
 * Bytes of a JSON body that can hold pictures as data URIs: the largest picture that any model takes (20 MiB) is 27 MiB
 * in base64; seven smaller ones fit as well. Larger ones are uploaded, or named by their URLs.
 */
export const BODY_WITH_REFERENCES_LIMIT_BYTES = 32 * 1024 * 1024

/** The limits of a route's JSON body that no schema can say, in words. */
export function bodyLimitsOf({ takesReferences }: Pick<Route, 'takesReferences'>): string {
  const size =
    takesReferences === true
      ? `${BODY_LIMIT_BYTES} bytes, and ${BODY_WITH_REFERENCES_LIMIT_BYTES} with files in data URIs`
      : `${BODY_LIMIT_BYTES} bytes`
  return `At most ${size}; ${MAX_VALUES} values; ${MAX_NESTING} levels deep; in UTF-8, optionally compressed (gzip, deflate, br).`
}
