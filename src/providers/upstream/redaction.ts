import { isJsonObject, type Json } from '../../canonical/json.ts'

/** Characters. Servers without keys are given words like `none` or `id`, which are no secret and stand in answers. */
const SHORTEST_SECRET = 8

/**
 * Characters of a text that are looked through. No message that is logged or stored is longer; what goes on beyond this is
 * data, such as a video in base64, which is not searched.
 */
const SEARCHED_CHARACTERS = 64 * 1024

/** Cuts secrets out of what an upstream says: some repeat a wrong key, or the whole request, in their refusal. */
export class Redaction {
  /** `undefined` where there is no secret. */
  readonly #pattern: RegExp | undefined

  constructor(candidates: readonly string[]) {
    const secrets = candidates.filter(({ length }) => length >= SHORTEST_SECRET)
    // As it is, and as some write it into JSON and into URLs.
    const spellings = secrets.flatMap((secret) => [secret, secret.replaceAll('/', '\\/'), encodeURIComponent(secret)])
    // Of two that begin alike the longer is cut out whole.
    const longestFirst = [...new Set(spellings)].toSorted((one, other) => other.length - one.length)
    this.#pattern = spellings.length === 0 ? undefined : new RegExp(longestFirst.map(escaped).join('|'), 'g')
  }

  ofText(text: string): string {
    if (this.#pattern === undefined) return text
    if (text.length <= SEARCHED_CHARACTERS) return text.replaceAll(this.#pattern, '[secret]')
    const head = text.slice(0, SEARCHED_CHARACTERS)
    const left = head.replaceAll(this.#pattern, '[secret]')
    return left === head ? text : left
  }

  /** The same of every string in a parsed answer. */
  ofJson(json: Json): Json {
    if (this.#pattern === undefined) return json
    if (typeof json === 'string') return this.ofText(json)
    if (Array.isArray(json)) return json.map((each) => this.ofJson(each))
    if (!isJsonObject(json)) return json
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, this.ofJson(value)]))
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
