import type { Model } from '../canonical/model.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Catalog } from './load.ts'

/** The models of one dialect, in the order of their ids. */
export function modelsOf(catalog: Catalog, dialect: string): readonly Model[] {
  return [...(catalog.get(dialect)?.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The model that a request of this dialect names by its id or an alias; `unknown_model` says which there are. */
export function resolveModel(catalog: Catalog, dialect: string, id: string): Model {
  const models = modelsOf(catalog, dialect)
  const model = catalog.get(dialect)?.get(id) ?? models.find(({ aliases }) => aliases.includes(id))
  if (model !== undefined) return model
  const known = models.flatMap((each) => [each.id, ...each.aliases])
  const allowed = `one of ${known.join(', ')}`
  throw new Refusal('unknown_model', `model cannot be ${JSON.stringify(id.slice(0, 80))}; allowed: ${allowed}.`, {
    detail: { field: 'model', value: id, allowed },
  })
}
