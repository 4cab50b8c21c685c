import type { Category } from '../category.ts'
import { findFullNames } from './find-full-names.ts'
import { asShown, foldText } from './fold-text.ts'
import { type Hit, Lexicon } from './lexicon.ts'
import { CONCEPTS, type Concept, RULES, type Rule } from './policy/policy.ts'
import { splitWords, type Word } from './split-words.ts'
import { reader, type WordLattice, wordLattice } from './word-lattice.ts'

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
const READ = reader((reading) => LEXICON.isBeginning(reading))

/** Between words of one phrase; other signs end it: "a child, naked. Trees" has no naked trees. */
const SAME_PHRASE = /^[\s\p{Pd}'’]*$/u

/** What begins a phrase of its own, and goes on after one. */
const SMALL_WORDS: ReadonlySet<string> = new Set([
  'a',
  'an',
  'the',
  'and',
  'or',
  'of',
  'with',
  'for',
  'from',
  'in',
  'on',
  'at',
  'by',
  'near',
  'under',
  'over',
  'to',
])

/** Judges a prompt by the default policy. Time is proportional to the prompt's length. */
export function judgePrompt(judged: JudgedPrompt): RuleVerdict {
  const verdict = judgeText(judged)
  const prompt = asShown(judged.prompt)
  return verdict.kind === 'refused' || prompt === judged.prompt ? verdict : judgeText({ ...judged, prompt })
}

function judgeText({ prompt, mode, hasPicture, spicyAllowed }: JudgedPrompt): RuleVerdict {
  const words = splitWords(prompt)
  const lattice = wordLattice(words, READ)
  const found: readonly Hit<Concept>[] = [...LEXICON.find(lattice), ...findFullNames(words)]
  if (found.length === 0) return { kind: 'allowed' }
  const isSpicy = mode === 'spicy' && spicyAllowed
  const rule = RULES.find((each) => {
    if (each.onlyWithPicture === true && !hasPicture) return false
    if (each.exceptSpicy === true && isSpicy) return false
    return isMet(each, meantIn(each, found, words), lattice)
  })
  return rule === undefined ? { kind: 'allowed' } : { kind: 'refused', rule: rule.id, category: rule.category }
}

/** Without the words that stand in an innocent phrase. */
function meantIn(rule: Rule, found: readonly Hit<Concept>[], words: readonly Word[]): Hit<Concept>[] {
  const innocent = found.filter((hit) => isInnocent(hit, rule, words))
  return found.filter((hit) => !innocent.some(({ start, end }) => start <= hit.start && hit.end <= end))
}

function isInnocent(hit: Hit<Concept>, { category }: Rule, words: readonly Word[]): boolean {
  switch (hit.concept) {
    case 'innocent':
      return isOnePhrase(hit, words)
    case 'innocentOfAdults':
      return category !== 'sexual_minors' && isOnePhrase(hit, words)
    case 'innocentThing':
      return isOnePhrase(hit, words) && beginsApart(hit, words) && endsApart(hit, words)
    case 'innocentUndressing':
      return category !== 'sexual_minors' && isOnePhrase(hit, words) && endsApart(hit, words)
    default:
      return false
  }
}

function isOnePhrase({ start, end }: Hit<Concept>, words: readonly Word[]): boolean {
  return words.slice(start + 1, end).every(({ gap }) => SAME_PHRASE.test(gap))
}

/** Whether the word before it does not go on with it: "teen is naked juice". */
function beginsApart({ start }: Hit<Concept>, words: readonly Word[]): boolean {
  return isApart(words[start - 1], words[start]?.gap)
}

/** Whether it does not go on with the word after it: "a topless mountain girl" is a girl. */
function endsApart({ end }: Hit<Concept>, words: readonly Word[]): boolean {
  return isApart(words[end], words[end]?.gap)
}

function isApart(neighbour: Word | undefined, gap = ''): boolean {
  return neighbour === undefined || !SAME_PHRASE.test(gap) || SMALL_WORDS.has(foldText(neighbour.text))
}

function isMet({ all, withinWords }: Rule, found: readonly Hit<Concept>[], lattice: WordLattice): boolean {
  const [first = [], ...others] = all.map((concepts) => found.filter(({ concept }) => concepts.includes(concept)))
  return first.some((hit) =>
    others.every((hits) =>
      hits.some((other) => withinWords === undefined || wordsBetween(hit, other, lattice) <= withinWords),
    ),
  )
}

/** 0 for neighbours, and for what overlaps. */
function wordsBetween(one: Hit<Concept>, other: Hit<Concept>, lattice: WordLattice): number {
  const [before, after] = one.start < other.start ? [one, other] : [other, one]
  return Math.max(0, (lattice[after.start]?.place ?? 0) - (lattice[before.end]?.place ?? Number.POSITIVE_INFINITY))
}
