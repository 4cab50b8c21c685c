/** Names of an answer that a sentence shows. */
const SHOWN_NAMES = 10

/** @throws Error where the provider lists its models and lacks one. `listed` is `undefined` where it lists none. */
export function assertListed(wanted: readonly string[], listed: readonly string[] | undefined): void {
  const missing = wanted.find((model) => listed?.includes(model) === false)
  if (missing === undefined) return
  const shown = listed?.slice(0, SHOWN_NAMES).join(', ')
  throw new Error(`It does not list the model ${missing}; it has: ${shown === '' ? 'none' : shown}. Set "model".`)
}
