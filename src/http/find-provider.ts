/** Who makes what is asked for; and what is wrong with a request that no configured provider can ever take. */

import type { GenerationRequest } from '../canonical/generation.ts'
import type { Json } from '../canonical/json.ts'
import type { Model, ParameterMeaning } from '../canonical/model.ts'
import { invalidField, Refusal } from '../canonical/refusal.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { CreateInput } from '../dialects/dialect.ts'
import type { Provider } from '../providers/provider.ts'
import { type CoveredProperty, type RequestOutline, uncovered } from '../tasks/router.ts'
import type { Platform } from './platform.ts'

/** A create, as its refusal has to name it. */
export interface AskedOfProviders {
  readonly mode: WalletMode
  readonly model: Model
  readonly input: CreateInput
}

/**
 * Refuses a request that is beyond the abilities of every provider of its route, before any file of it is fetched. It stays
 * refused until the operator configures another provider, so it is the caller's request that has to change: clients repeat
 * what is merely unavailable.
 */
export function assertMakeable(platform: Platform, asked: AskedOfProviders, outline: RequestOutline): void {
  const { mode, model } = asked
  const providers = platform.router().providersFor({ mode, request: { model: model.id } })
  if (!providers.some((provider) => uncovered(provider, outline).length === 0)) throw refused(asked, outline, providers)
}

/** The provider that is to make a request. Throws, as `assertMakeable` does, if none of the route ever takes it. */
export function findProvider(platform: Platform, asked: AskedOfProviders, request: GenerationRequest): Provider {
  const { mode } = asked
  const router = platform.router()
  const provider = router.route({ mode, request })
  if (provider === undefined) throw refused(asked, request, router.providersFor({ mode, request }))
  return provider
}

/** Names the one property that no provider has, where there is one. */
function refused(asked: AskedOfProviders, outline: RequestOutline, providers: readonly Provider[]): Refusal {
  const [first = [], ...others] = providers.map((provider) => uncovered(provider, outline))
  const property = first.find((each) => others.every((properties) => properties.includes(each)))
  const { model, input } = asked
  if (property === undefined || property === 'operation') return refusedModel(model, outline)
  if (property === 'references') return refusedFile(input, providers)
  const parameter = parametersOf(model, outline).find(({ meaning }) => MEANINGS[property].includes(meaning))
  if (parameter === undefined) return refusedModel(model, outline)
  const value: Json = input.params[parameter.key] ?? outline[property] ?? null
  const allowed = `${allowedBy(property, providers)}: no provider of this installation makes more`
  return invalidField({ field: `${input.paramsPath}${parameter.key}`, value, allowed })
}

function refusedModel({ id }: Model, { operation }: RequestOutline): Refusal {
  const makes = operation === 'generate' ? 'makes this request' : `can ${operation} videos`
  return new Refusal('invalid_field', `model cannot be "${id}": no provider of this installation ${makes} with it.`, {
    detail: { field: 'model', value: id, allowed: 'what the providers of this installation make' },
  })
}

function refusedFile({ references = [] }: CreateInput, providers: readonly Provider[]): Refusal {
  const file = references.find(({ role }) => !providers.some(({ abilities }) => abilities.roles.includes(role)))
  const field = file?.field ?? references[0]?.field ?? 'references'
  return new Refusal('invalid_field', `${field} cannot be used: no provider of this installation takes such a file.`, {
    detail: { field, allowed: 'a request without it' },
  })
}

type Chosen = Exclude<CoveredProperty, 'operation' | 'references'>

/** Which parameters choose a property. */
const MEANINGS: Readonly<Record<Chosen, readonly ParameterMeaning[]>> = {
  mode: ['mode'],
  resolution: ['resolution', 'size'],
  aspectRatio: ['aspectRatio', 'size'],
  durationSeconds: ['durationSeconds'],
}

function parametersOf(model: Model, { operation }: RequestOutline): Model['parameters'] {
  return operation === 'generate' ? model.parameters : (model[operation]?.parameters ?? [])
}

/** What the providers cover, in words. */
function allowedBy(property: Chosen, providers: readonly Provider[]): string {
  const abilities = providers.map((provider) => provider.abilities)
  const listed = (values: readonly string[]) => `one of ${[...new Set(values)].join(', ')}`
  switch (property) {
    case 'mode':
      return listed(abilities.flatMap(({ modes = [] }) => modes))
    case 'resolution':
      return listed(abilities.flatMap(({ resolutions }) => resolutions))
    case 'aspectRatio':
      return listed(abilities.flatMap(({ aspectRatios }) => aspectRatios))
    case 'durationSeconds': {
      const spans = abilities.map(({ durationSeconds: { min, max } }) => (min === max ? `${min}` : `${min} to ${max}`))
      return `${[...new Set(spans)].join(' or ')} seconds`
    }
  }
}
