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

/** A token stands alone between spaces. What the sentence puts behind it comes along, and is taken off by `splitToken`. */
const TOKEN = /(?<!\S)sandbox:\S*/giu

const PREFIX_CHARACTERS = 'sandbox:'.length

/** Punctuation of the sentence that may follow a token. */
const PUNCTUATION = '.,;!?)"\''

/** Reads the sandbox tokens of a prompt. One that is not of the known forms is malformed, never ignored. */
export function readSandbox(prompt: string): Sandbox {
  let outcome: SandboxOutcome = 'video'
  let slowSeconds: number | undefined
  for (const [found] of prompt.matchAll(TOKEN)) {
    const { token } = splitToken(found)
    const wanted = token.slice(PREFIX_CHARACTERS).toLowerCase()
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
  const scene = prompt.replace(TOKEN, (found) => ` ${splitToken(found).punctuation}`)
  return { kind: 'plan', outcome, slowSeconds: slowSeconds ?? 0, prompt: scene.trim() }
}

/**
 * A token and the punctuation behind it. By hand, for an expression that looks for the end of the punctuation at each
 * character takes time in proportion to the square of the prompt's length: 117 ms for 5,000 exclamation marks.
 */
function splitToken(found: string): { readonly token: string; readonly punctuation: string } {
  let end = found.length
  while (end > PREFIX_CHARACTERS && PUNCTUATION.includes(found.charAt(end - 1))) end -= 1
  return { token: found.slice(0, end), punctuation: found.slice(end) }
}

function malformed(what: string): Sandbox {
  return { kind: 'malformed', message: `${what} Allowed are ${FORMS}.` }
}
