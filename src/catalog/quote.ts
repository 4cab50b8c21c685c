import type { GenerationRequest } from '../canonical/generation.ts'
import type { Model } from '../canonical/model.ts'

/**
 * The price of a request in whole credits. Computed once, at creation, and stored with the task; a later change of the
 * catalog changes no task that exists.
 */
export function quote(model: Model, request: GenerationRequest): bigint {
  switch (model.billing.type) {
    case 'FIXED':
      return BigInt(model.billing.credits)
    case 'PER_SECOND': {
      const perSecond = model.billing.creditsPerSecond[request.resolution]
      if (perSecond === undefined) throw new Error(`${model.id} has no price for ${request.resolution}`)
      return BigInt(perSecond) * BigInt(request.durationSeconds)
    }
  }
}
