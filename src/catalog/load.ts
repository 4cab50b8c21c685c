import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { OPERATIONS, type Operation } from '../canonical/generation.ts'
import { newId } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import { type Model, modelSchema, type Parameter } from '../canonical/model.ts'
import type { Reference, ReferenceRole } from '../canonical/reference.ts'
import { quote } from './quote.ts'
import { complete, validate } from './validate.ts'

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
    const names = models.flatMap(({ id, aliases }) => [id, ...aliases])
    const double = names.find((name, index) => names.indexOf(name) !== index)
    if (double !== undefined) throw new Error(`Two models of ${dialect} are named ${double}.`)
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
  for (const operation of OPERATIONS) {
    const offered = operation === 'generate' ? model : model[operation]
    if (offered === undefined) continue
    const needed = operation === 'generate' ? model.requiredReference : 'source'
    const sets = [needed === undefined ? [] : [needed], ...offered.references.map(({ role }) => [role])]
    for (const params of [...offered.parameters.flatMap(samplesOf), {}]) {
      for (const roles of sets) {
        // What a reference rules out is refused on purpose: only the defaults must go with each.
        if (roles.length > 0 && Object.keys(params).length > 0 && needed === undefined) continue
        yield* problemsWith(model, { operation, params, references: roles.map((role) => sampleOf(role, offered)) })
      }
    }
  }
}

type SampleReference = Reference & { readonly field: string }

function* problemsWith(
  model: Model,
  sample: { operation: Operation; params: JsonObject; references: readonly SampleReference[] },
): Generator<string> {
  const { operation, params, references } = sample
  try {
    const asked = { operation, prompt: 'A sample', params, paramsPath: '', references }
    const draft = validate(model, asked, { spicyAllowed: true, freshSeed: 0 })
    quote(model, complete(model, draft, { asked: references, references }))
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : error
    yield `${operation} ${JSON.stringify(params)} cannot be asked: ${problem}`
  }
}

/** A file of the smallest kind that a role takes. */
function sampleOf(role: ReferenceRole, { references }: Pick<Model, 'references'>): SampleReference {
  const policy = references.find((each) => each.role === role)
  const [rule] = policy?.kinds ?? []
  if (policy === undefined || rule === undefined) throw new Error(`the role ${role} is required and not offered`)
  const { kind, mimeTypes, minSeconds = 1 } = rule
  return {
    ...{ role, kind, field: policy.parameter, fileId: newId('file'), mimeType: mimeTypes[0] ?? '', sizeBytes: 1 },
    ...{ sha256: '', storeKey: '', width: 1280, height: 720 },
    ...(kind === 'image' ? {} : { durationSeconds: minSeconds }),
  }
}

/** The values of a parameter at which a mistake shows: every option, the bounds, one step, the default. */
function samplesOf(parameter: Parameter): JsonObject[] {
  const values = parameter.default === undefined ? [] : [parameter.default]
  if (parameter.type === 'select') values.push(...parameter.options)
  if (parameter.type === 'number') values.push(parameter.min, parameter.min + parameter.step, parameter.max)
  return values.map((value) => ({ [parameter.key]: value }))
}
