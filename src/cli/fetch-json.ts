import type { Json } from '../canonical/json.ts'
import { CommandError } from './command-error.ts'

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 30_000

/** What a server of ours says of itself in JSON; a sentence when there is none. `what` begins that sentence. */
export async function fetchJson(url: string, what: string): Promise<Json> {
  let answer: Response
  let text: string
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    text = await answer.text()
  } catch (cause) {
    throw new CommandError(`${what} could not be fetched: no server answers at ${new URL(url).origin}.`, { cause })
  }
  if (!answer.ok) throw new CommandError(`${what} could not be fetched: HTTP ${answer.status}.`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CommandError(`${what} could not be read: ${new URL(url).origin} answers with something else.`, { cause })
  }
}
