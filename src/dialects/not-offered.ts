import { isJsonObject, type Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'

/**
 * Refuses a body that has a field which the dialect documents and this server cannot honour yet: to ignore it would give
 * and charge another video than the one that was asked for. `fields` says what each stands for.
 */
export function refuseNotOffered(body: Json | undefined, fields: Readonly<Record<string, string>>): void {
  if (!isJsonObject(body)) return
  for (const [field, what] of Object.entries(fields)) {
    if (!Object.hasOwn(body, field)) continue
    const message = `${field} cannot be used: ${what} not offered by this server yet; leave it out.`
    throw new Refusal('invalid_field', message, { detail: { field, allowed: 'nothing yet' } })
  }
}

/** The parse of a route that the dialect documents and this server does not offer yet. `what`: “editing videos”. */
export function notOffered(what: string): () => never {
  return () => {
    throw new Refusal('invalid_field', `${what} is not offered by this server yet.`)
  }
}
