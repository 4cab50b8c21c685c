import type { GenerationRequest } from '../canonical/generation.ts'
import type { Model } from '../canonical/model.ts'

const MILLI_CREDITS = 1_000

/**
 * The price of a request in whole credits. Computed once, at creation, and stored with the task; a later change of the
 * catalog changes no task that exists. Lengths are measured ones, to the millisecond; what is not whole is rounded up,
 * once for the video and once for all references together.
 */
export function quote(model: Model, request: GenerationRequest): bigint {
  const { billing } = model
  switch (billing.type) {
    case 'FIXED':
      return BigInt(billing.credits)
    case 'PER_SECOND': {
      const perSecond = billing.creditsPerSecond[request.resolution]
      if (perSecond === undefined) throw new Error(`${model.id} has no price for ${request.resolution}`)
      return wholeCredits(milliseconds(request.durationSeconds) * perSecond) + quoteInputs(billing.inputs, request)
    }
  }
}

type InputPrices = Extract<Model['billing'], { type: 'PER_SECOND' }>['inputs']

function quoteInputs(prices: InputPrices, { references }: GenerationRequest): bigint {
  if (prices === undefined) return 0n
  let milliCredits = 0
  for (const { kind, durationSeconds = 0 } of references) {
    if (kind === 'image') milliCredits += prices.milliCreditsPerImage
    if (kind === 'video') milliCredits += (milliseconds(durationSeconds) * prices.milliCreditsPerVideoSecond) / 1_000
  }
  return wholeCredits(milliCredits)
}

/** Whole, so that no binary fraction is ever rounded up to a credit of its own. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000)
}

function wholeCredits(milliCredits: number): bigint {
  return BigInt(Math.ceil(milliCredits / MILLI_CREDITS))
}
