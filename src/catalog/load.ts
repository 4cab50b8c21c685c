import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { type Model, modelSchema } from '../canonical/model.ts'

/** Models by dialect, then by id. Read once at the start and never changed. */
export type Catalog = ReadonlyMap<string, ReadonlyMap<string, Model>>

const MODELS_DIRECTORY = new URL('./models/', import.meta.url)

/**
 * Reads `models/<dialect>/<model>.json`. A file that is not a sound model refuses the start with a sentence that names
 * the file and the field: a catalog error must never become a wrong price.
 */
export function loadCatalog(directory: URL = MODELS_DIRECTORY): Catalog {
  const catalog = new Map<string, ReadonlyMap<string, Model>>()
  for (const dialect of readdirSync(directory).sort()) {
    const folder = new URL(`${dialect}/`, directory)
    const models = readdirSync(folder)
      .sort()
      .map((file) => readModel(dialect, new URL(file, folder)))
    catalog.set(dialect, new Map(models.map((model) => [model.id, model])))
  }
  return catalog
}

function readModel(dialect: string, file: URL): Model {
  const parsed = modelSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!parsed.success) throw new Error(`The model in ${file.pathname} is not sound:\n${z.prettifyError(parsed.error)}`)
  for (const problem of problemsOf(parsed.data)) throw new Error(`The model in ${file.pathname}: ${problem}.`)
  return { ...parsed.data, dialect }
}

/** What a schema cannot say: defaults that the model would refuse itself, resolutions that have no price. */
function* problemsOf(model: Omit<Model, 'dialect'>): Generator<string> {
  for (const parameter of model.parameters) {
    if (parameter.type === 'select' && !parameter.options.includes(parameter.default)) {
      yield `${parameter.key} defaults to ${parameter.default}, which is not one of its options`
    }
  }
  if (model.billing.type === 'PER_SECOND') {
    const resolution = model.parameters.find((parameter) => parameter.meaning === 'resolution')
    const offered = resolution?.type === 'select' ? resolution.options : [model.fixed.resolution ?? 'none']
    for (const name of offered) {
      if (!Object.hasOwn(model.billing.creditsPerSecond, name)) yield `resolution ${name} has no price per second`
    }
  }
}
