import type { Category } from '../category.ts'
import { findFullNames } from './find-full-names.ts'
import { type Hit, Lexicon } from './lexicon.ts'
import { CONCEPTS, type Concept, RULES, type Rule } from './policy/policy.ts'
import { splitWords } from './split-words.ts'
import { type WordLattice, wordLattice } from './word-lattice.ts'

/** A request as far as the rules look at it. */
export interface JudgedPrompt {
  readonly prompt: string
  /** The mode of the request: `normal`, `fun` or `spicy`. */
  readonly mode: string
  /** Whether the request brings a picture or video, which may show somebody. */
  readonly hasPicture: boolean
  /** Whether the account is allowed the mode spicy. */
  readonly spicyAllowed: boolean
}

export type RuleVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly rule: string; readonly category: Category }

const LEXICON = new Lexicon(CONCEPTS)

/** Judges a prompt by the default policy. Time is proportional to the prompt's length. */
export function judgePrompt({ prompt, mode, hasPicture, spicyAllowed }: JudgedPrompt): RuleVerdict {
  const words = splitWords(prompt)
  const lattice = wordLattice(words, (reading) => LEXICON.isBeginning(reading))
  const found: readonly Hit<Concept>[] = [...LEXICON.find(lattice), ...findFullNames(words)]
  const isSpicy = mode === 'spicy' && spicyAllowed
  const rule = RULES.find((each) => {
    if (each.onlyWithPicture === true && !hasPicture) return false
    if (each.exceptSpicy === true && isSpicy) return false
    return isMet(each, meantIn(each, found), lattice)
  })
  return rule === undefined ? { kind: 'allowed' } : { kind: 'refused', rule: rule.id, category: rule.category }
}

/** Without the words that stand in an innocent phrase. */
function meantIn(rule: Rule, found: readonly Hit<Concept>[]): Hit<Concept>[] {
  const innocent = found.filter(
    ({ concept }) => concept === 'innocent' || (concept === 'innocentOfAdults' && rule.category !== 'sexual_minors'),
  )
  return found.filter((hit) => !innocent.some(({ start, end }) => start <= hit.start && hit.end <= end))
}

function isMet({ all, withinWords }: Rule, found: readonly Hit<Concept>[], lattice: WordLattice): boolean {
  const [first = [], ...others] = all.map((concepts) => found.filter(({ concept }) => concepts.includes(concept)))
  const isNear = (one: Hit<Concept>, other: Hit<Concept>) =>
    withinWords === undefined || wordsBetween(one, other, lattice) <= withinWords
  return first.some((hit) => others.every((hits) => hits.some((other) => isNear(hit, other))))
}

/** 0 for neighbours, and for what overlaps. */
function wordsBetween(one: Hit<Concept>, other: Hit<Concept>, lattice: WordLattice): number {
  const [before, after] = one.start < other.start ? [one, other] : [other, one]
  return Math.max(0, (lattice[after.start]?.place ?? 0) - (lattice[before.end]?.place ?? Number.POSITIVE_INFINITY))
}
