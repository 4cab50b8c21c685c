import { isPlanName, PLAN_NAMES, type PlanName } from '../accounts/plans.ts'
import { type Id, parseId } from '../canonical/ids.ts'
import { isScope, SCOPES, type Scope } from '../canonical/scopes.ts'
import { WALLET_MODES, type WalletMode } from '../canonical/wallet-mode.ts'
import { CommandError } from './command-error.ts'

/** Readers of command-line values: what is not allowed is refused with what is. */

export function readId<Prefix extends string>(prefix: Prefix, text: string): Id<Prefix> {
  const id = parseId(prefix, text)
  if (id === undefined) throw new CommandError(`"${text}" is not an id of the form ${prefix}_… (32 hex digits).`)
  return id
}

/** Ids that a command was given, or `undefined` for `--all`: one of the two, so that nothing means everything by mistake. */
export function readSelection<Prefix extends string>(
  prefix: Prefix,
  texts: readonly string[],
  { all }: { readonly all?: true },
): Id<Prefix>[] | undefined {
  if (texts.length > 0 === (all === true)) throw new CommandError(`Name the ids (${prefix}_…), or say --all.`)
  return all === true ? undefined : texts.map((text) => readId(prefix, text))
}

export function readCredits(text: string): bigint {
  if (!/^\d{1,12}$/.test(text)) throw new CommandError(`"${text}" is not a whole number of credits, 0 to 999999999999.`)
  return BigInt(text)
}

/** Credits to move: at least one. */
export function readAmount(text: string): bigint {
  const credits = /^\d{1,12}$/.test(text) ? BigInt(text) : 0n
  if (credits < 1n) throw new CommandError(`"${text}" is not a whole number of credits, 1 to 999999999999.`)
  return credits
}

export function readPlan(text: string): PlanName {
  if (!isPlanName(text)) throw new CommandError(`"${text}" is not a plan; there are ${PLAN_NAMES.join(', ')}.`)
  return text
}

export function readMode(text: string): WalletMode {
  const mode = WALLET_MODES.find((each) => each === text)
  if (mode === undefined) throw new CommandError(`"${text}" is not a mode; there are ${WALLET_MODES.join(', ')}.`)
  return mode
}

export function readScopes(text: string): Scope[] {
  return text.split(',').map((word) => {
    if (!isScope(word)) throw new CommandError(`"${word}" is not a scope; there are ${SCOPES.join(', ')}.`)
    return word
  })
}

export function readWholeNumber(name: string, { min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new CommandError(`${name} cannot be "${text}"; allowed: a whole number from ${min} to ${max}.`)
  }
}
