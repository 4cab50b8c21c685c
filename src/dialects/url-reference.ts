import type { AskedReference, ReferenceRole } from '../canonical/reference.ts'

/** A reference that a body names by a URL of any kind, at the given place in it. */
export function urlReference(role: ReferenceRole, field: string, url: string): AskedReference {
  return { role, field, origin: { kind: 'url', url } }
}
