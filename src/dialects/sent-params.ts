import type { Json, JsonObject } from '../canonical/json.ts'

/** Those parameters that were sent, under their own keys: the catalog knows the defaults of the others. */
export function sentParams(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const params: JsonObject = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) params[key] = value
  return params
}
