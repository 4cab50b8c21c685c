import { z } from 'zod'
import { ASPECT_RATIOS, type GenerationRequest, MODES, RESOLUTIONS, SIZES } from '../canonical/generation.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import type { Model, Parameter, ParameterMeaning } from '../canonical/model.ts'
import { invalidField, Refusal } from '../canonical/refusal.ts'

/** What a dialect read from a body, before the catalog has looked at it. */
export interface AskedGeneration {
  readonly prompt: string
  /** Model parameters under the caller's own keys. */
  readonly params: JsonObject
  /** Where the parameters stand in the body, for error messages: `params.`, or nothing when at the top. */
  readonly paramsPath: string
}

/** What a validated request depends on beside the body. */
export interface ValidationContext {
  readonly spicyAllowed: boolean
  /** Used when the caller chose no seed; 0 … 2^32 − 1. */
  readonly freshSeed: number
}

const chosenSchema = z.object({
  mode: z.enum(MODES).default('normal'),
  durationSeconds: z.int().positive(),
  resolution: z.enum(RESOLUTIONS),
  aspectRatio: z.enum(ASPECT_RATIOS),
  seed: z.int().min(0).max(0xffffffff),
})

/**
 * Checks a request against its model, in full, and completes it with the model's defaults. Nothing is clamped or
 * guessed: whatever the caller sent is either taken as it is or refused with the field, the value and what is allowed.
 */
export function validate(model: Model, asked: AskedGeneration, context: ValidationContext): GenerationRequest {
  checkPrompt(model, asked.prompt)
  checkKeys(model, asked)
  const chosen: Partial<Record<ParameterMeaning, Json | undefined>> = { seed: context.freshSeed, ...model.fixed }
  for (const parameter of model.parameters) {
    const value = asked.params[parameter.key]
    const field = `${asked.paramsPath}${parameter.key}`
    if (value !== undefined) Object.assign(chosen, meant(parameter, checkValue(parameter, field, value)))
    else if (parameter.default !== undefined) Object.assign(chosen, meant(parameter, parameter.default))
    if (parameter.meaning === 'mode' && chosen.mode === 'spicy' && !context.spicyAllowed) {
      throw new Refusal('invalid_field', `${field} cannot be "spicy": this account is not allowed that mode.`, {
        detail: { field, value: 'spicy', allowed: 'any other mode' },
      })
    }
  }
  return { model: model.id, prompt: asked.prompt, ...chosenSchema.parse(chosen) }
}

/** What a value of a parameter chooses. A select has texts, also where a number is meant (`"4"` seconds). */
function meant({ meaning }: Parameter, value: Json): Partial<Record<ParameterMeaning, Json>> {
  if (meaning === 'size') return { ...SIZES.get(String(value)) }
  return { [meaning]: meaning === 'durationSeconds' ? Number(value) : value }
}

function checkPrompt(model: Model, prompt: string): void {
  const allowed = `1 to ${model.maxPromptCharacters} characters`
  if (prompt.trim() === '')
    throw new Refusal('invalid_field', `prompt is empty; allowed: ${allowed}.`, {
      detail: { field: 'prompt', value: prompt, allowed },
    })
  const characters = countCodePoints(prompt)
  if (characters > model.maxPromptCharacters) {
    throw new Refusal('invalid_field', `prompt has ${characters} characters; allowed: ${allowed}.`, {
      detail: { field: 'prompt', value: prompt, allowed },
    })
  }
}

/** Unicode code points, so that an emoji outside the basic plane counts once. */
function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function checkKeys(model: Model, asked: AskedGeneration): void {
  const keys = model.parameters.map((parameter) => parameter.key)
  for (const key of Object.keys(asked.params)) {
    if (keys.includes(key)) continue
    const field = `${asked.paramsPath}${key}`
    const allowed = `allowed keys: ${keys.join(', ')}`
    const value = asked.params[key] ?? null
    const why =
      key === model.upload?.parameter ? 'reference files are not offered by this server yet' : 'the key is unknown'
    throw new Refusal('invalid_field', `${field} cannot be used: ${why}; ${allowed}.`, {
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
