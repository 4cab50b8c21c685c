import type { Category } from '../category.ts'
import { findFullNames } from './find-full-names.ts'
import { asShown, foldText } from './fold-text.ts'
import { type Hit, Lexicon, placesOf } from './lexicon.ts'
import { CONCEPTS, type Concept, RULES, type Rule } from './policy/policy.ts'
import { splitWords, type Word } from './split-words.ts'

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

/** Judges a prompt by the default policy, in time that is proportional to the prompt's length. */
export function judgePrompt(judged: JudgedPrompt): RuleVerdict {
  const verdict = judgeText(judged)
  const prompt = asShown(judged.prompt)
  return verdict.kind === 'refused' || prompt === judged.prompt ? verdict : judgeText({ ...judged, prompt })
}

function judgeText({ prompt, mode, hasPicture, spicyAllowed }: JudgedPrompt): RuleVerdict {
  const words = splitWords(prompt)
  const places = placesOf(words)
  const found: readonly Hit<Concept>[] = [...LEXICON.find(words, places), ...findFullNames(words)]
  if (found.length === 0) return { kind: 'allowed' }
  const isSpicy = mode === 'spicy' && spicyAllowed
  const rule = RULES.find((each) => {
    if (each.onlyWithPicture === true && !hasPicture) return false
    if (each.exceptSpicy === true && isSpicy) return false
    return isMet(each, meantIn(each, found, words), places)
  })
  return rule === undefined ? { kind: 'allowed' } : { kind: 'refused', rule: rule.id, category: rule.category }
}

/** Without the words that stand in an innocent phrase. */
function meantIn(rule: Rule, found: readonly Hit<Concept>[], words: readonly Word[]): Hit<Concept>[] {
  const innocent = found.filter((hit) => isInnocent(hit, rule, words))
  if (innocent.length === 0) return [...found]
  const ends = new Map<number, number>()
  for (const { start, end } of innocent) ends.set(start, Math.max(end, ends.get(start) ?? 0))
  // By word: where the innocent phrases end that begin there or before.
  let end = 0
  const endsBy = words.map((_, start) => {
    end = Math.max(end, ends.get(start) ?? 0)
    return end
  })
  return found.filter((hit) => hit.end > (endsBy[hit.start] ?? 0))
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

function isMet({ all, withinWords }: Rule, found: readonly Hit<Concept>[], places: readonly number[]): boolean {
  const [first = [], ...others] = all.map((concepts) => found.filter(({ concept }) => concepts.includes(concept)))
  if (first.length === 0 || others.some((hits) => hits.length === 0)) return false
  if (withinWords === undefined) return true
  return others.every((hits) => isNear(first, hits, { withinWords, places }))
}

/**
 * Whether one of the hits has one of the others at most so many words away: none between neighbours, and none where they
 * overlap. In one pass, for a prompt may have a thousand of each: of those that begin before a hit, the one that ends last
 * is the nearest.
 */
function isNear(
  hits: readonly Hit<Concept>[],
  others: readonly Hit<Concept>[],
  { withinWords, places }: { readonly withinWords: number; readonly places: readonly number[] },
): boolean {
  const lastEnds = [-1, -1]
  const sorted = [hits, others]
    .flatMap((each, side) => each.map(({ start, end }) => ({ start, end, side })))
    .sort((one, other) => one.start - other.start)
  for (const { start, end, side } of sorted) {
    const before = lastEnds[1 - side] ?? -1
    if (before >= 0 && (places[start] ?? 0) - (places[before] ?? 0) <= withinWords) return true
    lastEnds[side] = Math.max(end, lastEnds[side] ?? -1)
  }
  return false
}
