import { foldText } from './fold-text.ts'
import { DRAWN_OUT_SIGN, withoutRepetitions } from './readings-of.ts'
import type { WordLattice } from './word-lattice.ts'

/** Where terms of one concept stand in a prompt: from a word up to, and without, another. */
export interface Hit<Concept extends string> {
  readonly concept: Concept
  readonly start: number
  readonly end: number
}

interface Term<Concept> {
  readonly concept: Concept
  readonly words: readonly string[]
}

/** What a word has of the policy. */
interface WordTerms<Concept> {
  /** Terms that begin with it. */
  readonly beginning: readonly Term<Concept>[]
  /** The two terms of which it consists, if it does. */
  readonly glued: readonly Term<Concept>[]
}

/** Words that are remembered with their terms: prompts are made of the same few thousand. */
const MAX_REMEMBERED = 5_000

/** In a term: up to so many words of any kind. */
const GAP = '_'
const MAX_GAP_WORDS = 3

/** Two terms written as one word are found if both are at least so long; shorter ones are in too many words. */
const MIN_GLUED_CHARACTERS = 4
/** Twice the longest word of the policy. */
const MAX_GLUED_CHARACTERS = 40

/** The shortest stem that a term may be: shorter ones begin unrelated words. */
const MIN_STEM_CHARACTERS = 4

/**
 * The words of a policy, ready to be found. Terms are words separated by spaces; a word that ends with `*` is a stem, `_`
 * stands for up to three words of any kind, and `#` for an age below eighteen.
 */
export class Lexicon<Concept extends string> {
  /** By their first words. */
  readonly #whole = new Map<string, Term<Concept>[]>()
  readonly #stems = new Map<string, Term<Concept>[]>()
  /** Of every word of every term each beginning, without repetitions. */
  readonly #beginnings = new Set<string>()
  readonly #known = new Map<string, WordTerms<Concept>>()

  constructor(concepts: Readonly<Record<Concept, readonly string[]>>) {
    for (const concept in concepts) {
      for (const text of concepts[concept]) this.#add({ concept, words: text.split(' ').map(foldTerm) }, text)
    }
  }

  /** Whether a word of the policy begins so. Repeated letters do not count: they may yet turn out to be drawn out. */
  isBeginning(reading: string): boolean {
    return this.#beginnings.has(withoutRepetitions(reading))
  }

  /** Every term in the prompt, wherever it stands. */
  find(lattice: WordLattice): Hit<Concept>[] {
    const hits: Hit<Concept>[] = []
    for (const [start, { steps }] of lattice.entries()) {
      for (const { readings, next } of steps) {
        for (const word of readings) {
          const { beginning, glued } = this.#termsIn(word)
          for (const { concept, words } of beginning) {
            for (const end of endsOf(lattice, words, { word: 1, at: next })) hits.push({ concept, start, end })
          }
          if (next > start + 1) continue
          for (const { concept } of glued) hits.push({ concept, start, end: next })
        }
      }
    }
    return hits
  }

  #add(term: Term<Concept>, text: string): void {
    const [first] = term.words
    if (first === undefined || first === '' || first === GAP) throw new Error(`"${text}" is no term`)
    const isStem = first.endsWith('*')
    const key = isStem ? first.slice(0, -1) : first
    if (isStem && key.length < MIN_STEM_CHARACTERS) throw new Error(`"${text}" is too short a stem`)
    const index = isStem ? this.#stems : this.#whole
    for (const each of [key, drawnOut(key)]) index.set(each, [...(index.get(each) ?? []), term])
    for (const word of term.words) {
      const bare = withoutRepetitions(word.replace('*', ''))
      for (let length = 1; length <= bare.length; length += 1) this.#beginnings.add(bare.slice(0, length))
    }
  }

  #termsIn(word: string): WordTerms<Concept> {
    const found = this.#known.get(word)
    if (found !== undefined) return found
    const terms = { beginning: [...this.#beginningWith(word)], glued: this.#glued(word) }
    if (word.length > MAX_GLUED_CHARACTERS) return terms
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear()
    this.#known.set(word, terms)
    return terms
  }

  *#beginningWith(word: string): Generator<Term<Concept>> {
    yield* this.#whole.get(word) ?? []
    for (let length = MIN_STEM_CHARACTERS; length <= Math.min(word.length, MAX_GLUED_CHARACTERS); length += 1) {
      yield* this.#stems.get(word.slice(0, length)) ?? []
    }
  }

  /** The two terms of which a word consists, if it does. */
  #glued(word: string): Term<Concept>[] {
    if (word.length > MAX_GLUED_CHARACTERS) return []
    for (let length = MIN_GLUED_CHARACTERS; length <= word.length - MIN_GLUED_CHARACTERS; length += 1) {
      const [left, right] = [this.#single(word.slice(0, length)), this.#single(word.slice(length))]
      if (left.length > 0 && right.length > 0) return [...left, ...right]
    }
    return []
  }

  #single(word: string): Term<Concept>[] {
    return (this.#whole.get(word) ?? []).filter(({ words }) => words.length === 1)
  }
}

/** Where a term may end of which the words from `word` on are to be found from `at` on. */
function* endsOf(
  lattice: WordLattice,
  words: readonly string[],
  { word, at }: { readonly word: number; readonly at: number },
): Generator<number> {
  const wanted = words[word]
  if (wanted === undefined) return yield at
  if (wanted === GAP) {
    const from = lattice[at]?.place ?? 0
    for (let next = at; next < lattice.length && (lattice[next]?.place ?? 0) - from <= MAX_GAP_WORDS; next += 1) {
      yield* endsOf(lattice, words, { word: word + 1, at: next })
    }
    return
  }
  for (const { readings, next } of lattice[at]?.steps ?? []) {
    if (fits(readings, wanted)) yield* endsOf(lattice, words, { word: word + 1, at: next })
  }
}

function fits(readings: ReadonlySet<string>, word: string): boolean {
  if (!word.endsWith('*')) return readings.has(word) || readings.has(drawnOut(word))
  const stem = word.slice(0, -1)
  const drawn = drawnOut(stem)
  for (const reading of readings) if (reading.startsWith(stem) || reading.startsWith(drawn)) return true
  return false
}

const DRAWN_OUT = new Map<string, string>()

/** What drawn-out forms of a word of the policy are read as. */
function drawnOut(word: string): string {
  const known = DRAWN_OUT.get(word)
  if (known !== undefined) return known
  const drawn = `${DRAWN_OUT_SIGN}${withoutRepetitions(word)}`
  DRAWN_OUT.set(word, drawn)
  return drawn
}

/** Terms are folded as prompts are, so that both meet. */
function foldTerm(word: string): string {
  return word.endsWith('*') ? `${foldText(word.slice(0, -1))}*` : foldText(word)
}
