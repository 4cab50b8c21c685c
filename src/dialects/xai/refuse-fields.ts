import { isJsonObject, type Json } from '../../canonical/json.ts'
import { Refusal } from '../../canonical/refusal.ts'

/**
 * Refuses a body that has a field which is documented, and of which this route would take no notice: to ignore it would
 * give and charge another video than the one that was asked for. `fields` says why each cannot be used.
 */
export function refuseFields(body: Json | undefined, fields: Readonly<Record<string, string>>): void {
  if (!isJsonObject(body)) return
  for (const [field, why] of Object.entries(fields)) {
    if (!Object.hasOwn(body, field)) continue
    const message = `${field} cannot be used: ${why}; leave it out.`
    throw new Refusal('invalid_field', message, { detail: { field, allowed: 'nothing' } })
  }
}
