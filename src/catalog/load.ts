import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { JsonObject } from '../canonical/json.ts'
import { type Model, modelSchema, type Parameter } from '../canonical/model.ts'
import { quote } from './quote.ts'
import { validate } from './validate.ts'

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
  const model = { ...parsed.data, dialect }
  for (const problem of problemsOf(model)) throw new Error(`The model in ${file.pathname}: ${problem}.`)
  return model
}

/** What a schema cannot say: values that are offered, or are the default, and cannot be made or have no price. */
function* problemsOf(model: Model): Generator<string> {
  for (const params of [...model.parameters.flatMap(samplesOf), {}]) {
    try {
      const asked = { prompt: 'A sample', params, paramsPath: '' }
      quote(model, validate(model, asked, { spicyAllowed: true, freshSeed: 0 }))
    } catch (error) {
      yield `${JSON.stringify(params)} cannot be asked: ${error instanceof z.ZodError ? z.prettifyError(error) : error}`
    }
  }
}

/** The values of a parameter at which a mistake shows: every option, the bounds, one step, the default. */
function samplesOf(parameter: Parameter): JsonObject[] {
  const values = parameter.default === undefined ? [] : [parameter.default]
  if (parameter.type === 'select') values.push(...parameter.options)
  if (parameter.type === 'number') values.push(parameter.min, parameter.min + parameter.step, parameter.max)
  return values.map((value) => ({ [parameter.key]: value }))
}
