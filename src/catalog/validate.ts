import { z } from 'zod'
import {
  ASPECT_RATIOS,
  type GenerationRequest,
  MODES,
  type Operation,
  RESOLUTIONS,
  type Resolution,
  SIZES,
} from '../canonical/generation.ts'
import { isBlank } from '../canonical/is-blank.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import type { Model, Parameter, ParameterMeaning, ReferencePolicy } from '../canonical/model.ts'
import type { AskedReference, Reference } from '../canonical/reference.ts'
import { invalidField, Refusal, refusedTogether } from '../canonical/refusal.ts'
import { allowedKinds, checkReference } from './check-reference.ts'

/** What a dialect read from a body, before the catalog has looked at it. */
export interface AskedGeneration {
  readonly operation: Operation
  readonly prompt: string | undefined
  /** Model parameters under the caller's own keys. */
  readonly params: JsonObject
  /** Where the parameters stand in the body, for error messages: `params.`, or nothing when at the top. */
  readonly paramsPath: string
  readonly references: readonly Pick<AskedReference, 'role' | 'field' | 'declared'>[]
}

/** What a validated request depends on beside the body. */
export interface ValidationContext {
  readonly spicyAllowed: boolean
  /** Used when the caller chose no seed; 0 … 2^32 − 1. */
  readonly freshSeed: number
}

const chosenSchema = z.object({
  mode: z.enum(MODES).default('normal'),
  /** Of an edit, the length of its source. */
  durationSeconds: z.int().positive().optional(),
  /** Of an edit or extension, as its source has it. */
  resolution: z.enum(RESOLUTIONS).optional(),
  aspectRatio: z.enum([...ASPECT_RATIOS, 'source']).default('source'),
  seed: z.int().min(0).max(0xffffffff),
})

/** A request of which all is checked but the files that it names: nothing has been fetched for it yet. */
export interface DraftRequest extends z.infer<typeof chosenSchema> {
  readonly model: string
  readonly operation: Operation
  readonly prompt: string
}

/**
 * Checks a request against its model, but for the contents of its files, and completes it with the model's defaults.
 * Nothing is clamped or guessed: whatever the caller sent is either taken as it is or refused with the field, the value
 * and what is allowed.
 */
export function validate(model: Model, asked: AskedGeneration, context: ValidationContext): DraftRequest {
  const { parameters, references } = offered(model, asked.operation)
  const wrong: Refusal[] = []
  note(wrong, () => checkRoles(model, asked, references))
  const prompt = note(wrong, () => checkPrompt(model, asked)) ?? ''
  note(wrong, () => checkKeys({ parameters, references }, asked))
  const fixed = asked.operation === 'generate' ? model.fixed : {}
  const chosen: Partial<Record<ParameterMeaning, Json | undefined>> = { seed: context.freshSeed, ...fixed }
  for (const parameter of parameters) {
    note(wrong, () => choose(parameter, { chosen, asked, policies: references, context }))
  }
  if (wrong.length > 0) throw refusedTogether(wrong)
  return { model: model.id, operation: asked.operation, prompt, ...chosenSchema.parse(chosen) }
}

/** Goes on after a field that is wrong, so that one refusal names them all: no more than a model has parameters. */
function note<Checked>(wrong: Refusal[], check: () => Checked): Checked | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    wrong.push(error)
    return undefined
  }
}

/** Puts into `chosen` what a parameter's value, or its default, chooses. */
function choose(
  parameter: Parameter,
  about: {
    chosen: Partial<Record<ParameterMeaning, Json | undefined>>
    asked: AskedGeneration
    policies: readonly ReferencePolicy[]
    context: ValidationContext
  },
): void {
  const { chosen, asked, policies, context } = about
  const hasPicture = asked.references.length > 0
  const value = asked.params[parameter.key]
  const field = `${asked.paramsPath}${parameter.key}`
  if (value !== undefined) {
    Object.assign(chosen, meant(parameter, checkValue(parameter, field, value)))
    checkBesideReferences(parameter, { field, value, chosen, asked, policies })
  } else {
    Object.assign(chosen, meant(parameter, defaultOf(parameter, hasPicture)))
  }
  if (parameter.meaning === 'mode' && chosen.mode === 'spicy') checkSpicy(field, hasPicture, context)
}

/**
 * Completes a validated request with its files, now that they were looked at: checks each against the model's policy and
 * takes from the source what an edit or extension has from it. `references` are in the order of `asked`.
 */
export function complete(
  model: Model,
  draft: DraftRequest,
  { asked, references }: { asked: AskedGeneration['references']; references: readonly Reference[] },
): GenerationRequest {
  const policies = offered(model, draft.operation).references
  for (const [index, reference] of references.entries()) {
    const policy = policies.find(({ role }) => role === reference.role)
    const field = asked[index]?.field
    if (policy === undefined || field === undefined) throw new Error('a reference was not validated')
    checkReference(policy, field, reference)
  }
  const source = references.find(({ role }) => role === 'source')
  const durationSeconds = draft.operation === 'edit' ? source?.durationSeconds : draft.durationSeconds
  const resolution = draft.resolution ?? (source === undefined ? undefined : resolutionOf(source))
  if (durationSeconds === undefined || resolution === undefined) {
    throw new Error(`${model.id} leaves the length or resolution of ${draft.operation} open`)
  }
  if (draft.aspectRatio === 'source' && references.length === 0) throw new Error(`${model.id} leaves the ratio open`)
  return { ...draft, durationSeconds, resolution, references }
}

/** Parameters and references of one operation of a model; a model that has no such operation refuses it. */
function offered(model: Model, operation: Operation): Pick<Model, 'parameters' | 'references'> {
  const found = operation === 'generate' ? model : model[operation]
  if (found !== undefined) return found
  const allowed = 'a model that can'
  throw new Refusal('invalid_field', `model cannot be "${model.id}": it cannot ${operation} videos.`, {
    detail: { field: 'model', value: model.id, allowed },
  })
}

/** The lowest of the tiers that an edit or extension is made at which its source fits; the highest, if it fits none. */
function resolutionOf({ width = 0, height = 0 }: Reference): Resolution {
  return Math.min(width, height) <= 480 ? '480p' : '720p'
}

function defaultOf(parameter: Parameter, hasPicture: boolean): Json | undefined {
  if (hasPicture && parameter.type === 'select' && parameter.defaultWithReference !== undefined) {
    return parameter.defaultWithReference
  }
  return parameter.default
}

/** What a value of a parameter chooses. A select has texts, also where a number is meant (`"4"` seconds). */
function meant({ meaning }: Parameter, value: Json | undefined): Partial<Record<ParameterMeaning, Json>> {
  if (value === undefined) return {}
  if (meaning === 'size') return { ...SIZES.get(String(value)) }
  return { [meaning]: meaning === 'durationSeconds' ? Number(value) : value }
}

function checkRoles(
  model: Model,
  { operation, references, paramsPath }: AskedGeneration,
  policies: readonly ReferencePolicy[],
): void {
  const seen = new Map<string, number>()
  for (const { role, field, declared } of references) {
    const policy = policies.find((each) => each.role === role)
    if (policy === undefined) {
      throw refusedReference(field, `${model.id} takes no such file`, allowedFields(policies, paramsPath))
    }
    const excluded = references.find((other) => policy.excludes.includes(other.role))
    if (excluded !== undefined) {
      throw refusedReference(field, `it cannot stand beside ${excluded.field}`, `one of ${field} and ${excluded.field}`)
    }
    const count = (seen.get(role) ?? 0) + 1
    seen.set(role, count)
    if (count > policy.maxFiles) {
      const allowed = `at most ${policy.maxFiles} ${policy.maxFiles === 1 ? 'file' : 'files'}`
      throw refusedReference(`${paramsPath}${policy.parameter}`, 'there are too many', allowed)
    }
    const kind = declared?.kind
    if (kind !== undefined && !policy.kinds.some((each) => each.kind === kind)) {
      throw refusedReference(field, `it is declared as ${kind}`, allowedKinds(policy))
    }
  }
  const required = operation === 'generate' ? model.requiredReference : 'source'
  if (required === undefined || seen.has(required)) return
  const field = `${paramsPath}${policies.find(({ role }) => role === required)?.parameter ?? required}`
  throw new Refusal('invalid_field', `${field} is required for ${model.id}.`, {
    detail: { field, allowed: 'a file' },
  })
}

function refusedReference(field: string, why: string, allowed: string): Refusal {
  return new Refusal('invalid_field', `${field} cannot be used: ${why}; allowed: ${allowed}.`, {
    detail: { field, allowed },
  })
}

function allowedFields(policies: readonly ReferencePolicy[], paramsPath: string): string {
  const fields = policies.map(({ parameter }) => `${paramsPath}${parameter}`)
  return fields.length === 0 ? 'no files' : `files in ${fields.join(', ')}`
}

/** Values that a model takes, but not together with the files that the request names. */
function checkBesideReferences(
  parameter: Parameter,
  about: {
    field: string
    value: Json
    chosen: Partial<Record<ParameterMeaning, Json | undefined>>
    asked: AskedGeneration
    policies: readonly ReferencePolicy[]
  },
): void {
  const { field, value, chosen, asked, policies } = about
  for (const policy of policies.filter(({ role }) => asked.references.some((each) => each.role === role))) {
    const { maxDurationSeconds = Number.POSITIVE_INFINITY, resolutions = RESOLUTIONS } = policy
    const beside = `${asked.paramsPath}${policy.parameter}`
    if (parameter.meaning === 'durationSeconds' && Number(chosen.durationSeconds) > maxDurationSeconds) {
      throw invalidField({ field, value, allowed: `at most ${maxDurationSeconds} seconds with ${beside}` })
    }
    const choosesResolution = parameter.meaning === 'resolution' || parameter.meaning === 'size'
    if (choosesResolution && !resolutions.some((each) => each === chosen.resolution)) {
      throw invalidField({ field, value, allowed: `one of ${resolutions.join(', ')} with ${beside}` })
    }
  }
}

/** Off unless the account was allowed it, and never with a picture of somebody. */
function checkSpicy(field: string, hasPicture: boolean, { spicyAllowed }: ValidationContext): void {
  if (spicyAllowed && !hasPicture) return
  const why = spicyAllowed ? 'it cannot be used with a reference file' : 'this account is not allowed that mode'
  throw new Refusal('invalid_field', `${field} cannot be "spicy": ${why}.`, {
    detail: { field, value: 'spicy', allowed: 'any other mode' },
  })
}

/** The prompt; empty where a picture is enough. */
function checkPrompt(model: Model, { prompt, operation, references }: AskedGeneration): string {
  const allowed = `1 to ${model.maxPromptCharacters} characters`
  const isOptional = operation === 'generate' && model.isPromptOptionalWithReference && references.length > 0
  if (prompt === undefined) {
    if (isOptional) return ''
    const task = model.requiredReference === undefined && operation === 'generate' ? 'text-to-video' : operation
    throw new Refusal('invalid_field', `prompt is required for ${task === 'generate' ? model.id : task}.`, {
      detail: { field: 'prompt', allowed },
    })
  }
  if (isBlank(prompt) && !isOptional) {
    throw new Refusal('invalid_field', `prompt is empty; allowed: ${allowed}.`, {
      detail: { field: 'prompt', value: prompt, allowed },
    })
  }
  const characters = countCodePoints(prompt)
  if (characters > model.maxPromptCharacters) {
    throw new Refusal('invalid_field', `prompt has ${characters} characters; allowed: ${allowed}.`, {
      detail: { field: 'prompt', value: prompt, allowed },
    })
  }
  return prompt
}

/** Unicode code points, so that an emoji outside the basic plane counts once. */
function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function checkKeys({ parameters, references }: Pick<Model, 'parameters' | 'references'>, asked: AskedGeneration): void {
  const known = parameters.map((parameter) => parameter.key)
  const keys = [...known, ...references.map(({ parameter }) => parameter)]
  for (const key of Object.keys(asked.params)) {
    if (known.includes(key)) continue
    const field = `${asked.paramsPath}${key}`
    const allowed = keys.length === 0 ? 'no parameters' : `allowed keys: ${keys.join(', ')}`
    const value = asked.params[key] ?? null
    throw new Refusal('invalid_field', `${field} cannot be used: the key is unknown; ${allowed}.`, {
      detail: { field, value, allowed },
    })
  }
}

function checkValue(parameter: Parameter, field: string, value: Json): Json {
  const allowed = allowedValues(parameter)
  switch (parameter.type) {
    case 'select':
      if (typeof value === 'string' && parameter.options.includes(value)) return value
      break
    case 'number':
      if (typeof value === 'number' && isOnStep(parameter, value)) return value
      break
    case 'text':
      if (typeof value === 'string' && countCodePoints(value) <= parameter.maxCharacters) return value
      break
  }
  throw invalidField({ field, value, allowed })
}

/**
 * Steps are counted from `min`. Whole numbers are compared exactly: what is next to one is none, and would be refused
 * further on. The tolerance is for steps such as 0.1 that binary fractions cannot hold.
 */
function isOnStep({ min, max, step }: { min: number; max: number; step: number }, value: number): boolean {
  if (!Number.isFinite(value) || value < min || value > max) return false
  if (Number.isInteger(min) && Number.isInteger(step)) return Number.isInteger(value) && (value - min) % step === 0
  const steps = (value - min) / step
  return Math.abs(steps - Math.round(steps)) < 1e-9
}

/** The allowed values in words, as errors and documentation say them. */
export function allowedValues(parameter: Parameter): string {
  switch (parameter.type) {
    case 'select':
      return `one of ${parameter.options.join(', ')}`
    case 'number':
      return `a number from ${parameter.min} to ${parameter.max} in steps of ${parameter.step}`
    case 'text':
      return `a text of at most ${parameter.maxCharacters} characters`
  }
}
