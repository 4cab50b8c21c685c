/**
 * Prompts that make the outcomes which an integrator must handle. `sandbox:fail`, `sandbox:moderated` and
 * `sandbox:expire` end without a video; `sandbox:slow=20` takes 20 seconds longer and combines with any of them.
 */

export type SandboxOutcome = 'video' | 'fail' | 'moderated' | 'expire'

export type Sandbox =
  | {
      readonly kind: 'plan'
      readonly outcome: SandboxOutcome
      /** Whole seconds to wait before the outcome, or before rendering begins; 0 … SLOWEST_SECONDS. */
      readonly slowSeconds: number
      /** The prompt without its sandbox tokens: what the scene is made from. */
      readonly prompt: string
    }
  | { readonly kind: 'malformed'; readonly message: string }

/** Longer than any client's patience that is worth testing, and shorter than a task's deadline. */
export const SLOWEST_SECONDS = 600

const FORMS = `sandbox:fail, sandbox:moderated, sandbox:expire, or sandbox:slow=N with N from 0 to ${SLOWEST_SECONDS}`

/** A token stands alone between spaces; punctuation of the sentence may follow it. */
const TOKEN = /(?<!\S)sandbox:(\S*?)(?=[.,;!?)"']*(?:\s|$))/giu

/** Reads the sandbox tokens of a prompt. One that is not of the known forms is malformed, never ignored. */
export function readSandbox(prompt: string): Sandbox {
  let outcome: SandboxOutcome = 'video'
  let slowSeconds: number | undefined
  for (const [token, order = ''] of prompt.matchAll(TOKEN)) {
    const wanted = order.toLowerCase()
    if (wanted === 'fail' || wanted === 'moderated' || wanted === 'expire') {
      if (outcome !== 'video' && outcome !== wanted)
        return malformed(`The prompt asks for both ${outcome} and ${wanted}.`)
      outcome = wanted
      continue
    }
    const seconds = /^slow=(\d{1,4})$/u.exec(wanted)?.[1]
    if (seconds === undefined || Number(seconds) > SLOWEST_SECONDS)
      return malformed(`"${token.slice(0, 60)}" is not known.`)
    if (slowSeconds !== undefined) return malformed('The prompt has sandbox:slow twice.')
    slowSeconds = Number(seconds)
  }
  return { kind: 'plan', outcome, slowSeconds: slowSeconds ?? 0, prompt: prompt.replace(TOKEN, ' ').trim() }
}

function malformed(what: string): Sandbox {
  return { kind: 'malformed', message: `${what} Allowed are ${FORMS}.` }
}
