/**
 * Finds the terms of the policy in a prompt. All terms are one tree of letters, and from the start of each word of the
 * prompt it is followed for as long as something in the tree goes on so. A walk is no longer than the longest term, so the
 * work is in proportion to the prompt, whatever stands in it; what a letter may be read as, and whether a gap separates two
 * words or takes one apart, is decided by what the tree goes on with.
 */
import { foldText } from './fold-text.ts'
import { type Letter, SIGN_LETTERS, type SpelledWord, spelled } from './letters-of.ts'
import type { Word } from './split-words.ts'

/** Where a term of a concept stands in a prompt: from a word up to, and without, another. */
export interface Hit<Concept extends string> {
  readonly concept: Concept
  readonly start: number
  readonly end: number
}

/** In a term: up to so many words of any kind. */
const GAP = '_'
const MAX_GAP_WORDS = 3

/** What an age below eighteen is in a term, alone or before its unit. */
const AGE = '#'

/** The shortest stem that a term may be: shorter ones begin unrelated words. */
const MIN_STEM_CHARACTERS = 4

/** `n . u` is still one word taken apart; two letters further from each other are two. */
const MAX_JOINED_GAP_CHARACTERS = 4

const WHITE_SPACE = /\s/u
const ANY_LETTER = /[\p{L}@$]/u

interface Node<Concept> {
  readonly next: Map<string, Node<Concept>>
  /** Concepts of the terms that end here, where the word does. */
  readonly whole: Concept[]
  /** Concepts of the terms that end here, however the word goes on. */
  readonly stems: Concept[]
}

/** A prompt, with what is needed to follow a term through it. */
interface Text {
  readonly words: readonly (Word & SpelledWord)[]
  readonly places: readonly number[]
}

/**
 * The words of a policy, ready to be found. Terms are words separated by spaces; a last word that ends with `*` is a stem,
 * `_` stands for up to three words of any kind, and `#` for an age below eighteen.
 */
export class Lexicon<Concept extends string> {
  readonly #root: Node<Concept> = newNode()

  constructor(concepts: Readonly<Record<Concept, readonly string[]>>) {
    for (const concept in concepts) for (const term of concepts[concept]) this.#add(concept, term)
  }

  /** Every term in the prompt, wherever it stands. `places`: see `placesOf`. */
  find(words: readonly Word[], places: readonly number[]): Hit<Concept>[] {
    const text = { words: words.map((word) => ({ ...word, ...spelled(word) })), places }
    return words.flatMap((_, start) => new Walk<Concept>(text, start).from(start, [this.#root]))
  }

  /** Terms are folded as prompts are, so that both meet. */
  #add(concept: Concept, term: string): void {
    const isStem = term.endsWith('*')
    const text = foldText(isStem ? term.slice(0, -1) : term)
    if (text === '' || text.startsWith(GAP) || text.includes('*')) throw new Error(`"${term}" is no term`)
    if (isStem && text.length < MIN_STEM_CHARACTERS) throw new Error(`"${term}" is too short a stem`)
    let node = this.#root
    // What follows a gap begins a word by itself.
    for (const character of text.replaceAll(`${GAP} `, GAP)) {
      const next = node.next.get(character) ?? newNode()
      node.next.set(character, next)
      node = next
    }
    const ending = isStem ? node.stems : node.whole
    ending.push(concept)
  }
}

/** Follows the tree from one word of a prompt on. */
class Walk<Concept extends string> {
  readonly #text: Text
  readonly #start: number
  readonly #hits: Hit<Concept>[] = []

  constructor(text: Text, start: number) {
    this.#text = text
    this.#start = start
  }

  /** `nodes`: where in the tree the word at `index` is reached. */
  from(index: number, nodes: readonly Node<Concept>[]): Hit<Concept>[] {
    let reached = nodes
    for (let at = index; at < this.#text.words.length && reached.length > 0; at += 1) {
      reached = this.#acrossGap(at + 1, this.#throughWord(at, reached))
    }
    return this.#hits
  }

  #throughWord(index: number, nodes: readonly Node<Concept>[]): readonly Node<Concept>[] {
    const { letters = [], ageLetters = 0 } = this.#text.words[index] ?? {}
    const afterAge = ageLetters === 0 ? [] : follow(nodes, AGE)
    let reached = nodes
    let place = 0
    for (const letter of letters) {
      reached = step(place === ageLetters ? [...reached, ...afterAge] : reached, letter)
      place += 1
      if (reached.length === 0 && (afterAge.length === 0 || place > ageLetters)) return reached
      for (const { stems } of reached) if (stems.length > 0) this.#note(stems, index + 1)
    }
    if (ageLetters === letters.length) reached = [...reached, ...afterAge]
    for (const { whole } of reached) if (whole.length > 0) this.#note(whole, index + 1)
    return reached
  }

  /** From the end of a word to the start of the one at `index`: a word of its own, or the same one taken apart. */
  #acrossGap(index: number, nodes: readonly Node<Concept>[]): readonly Node<Concept>[] {
    const next = this.#text.words[index]
    if (next === undefined || nodes.length === 0) return []
    const apart = follow(nodes, ' ')
    for (const node of apart) this.#overGap(index, node.next.get(GAP))
    if (!isJoinable(this.#text.words[index - 1], next)) return apart
    const sign = SIGN_LETTERS.get(next.gap)
    return sign === undefined ? [...apart, ...nodes] : [...apart, ...nodes, ...step(nodes, sign)]
  }

  #overGap(index: number, node: Node<Concept> | undefined): void {
    if (node === undefined) return
    const { places } = this.#text
    const from = places[index] ?? 0
    for (let at = index; at < places.length - 1 && (places[at] ?? 0) - from <= MAX_GAP_WORDS; at += 1) {
      this.from(at, [node])
    }
  }

  #note(concepts: readonly Concept[], end: number): void {
    // Digits alone are a number, whatever they look like: 1011 is no word.
    if (!this.#text.words.slice(this.#start, end).some(({ text }) => ANY_LETTER.test(text))) return
    for (const concept of concepts) this.#hits.push({ concept, start: this.#start, end })
  }
}

function newNode<Concept>(): Node<Concept> {
  return { next: new Map(), whole: [], stems: [] }
}

function follow<Concept>(nodes: readonly Node<Concept>[], character: string): Node<Concept>[] {
  const reached: Node<Concept>[] = []
  for (const node of nodes) {
    const next = node.next.get(character)
    if (next !== undefined) reached.push(next)
  }
  return reached
}

function step<Concept>(nodes: readonly Node<Concept>[], { readings, isOptional }: Letter): Node<Concept>[] {
  const reached: Node<Concept>[] = isOptional ? [...nodes] : []
  for (const node of nodes) {
    for (const reading of readings) {
      const next = node.next.get(reading)
      // Two ways may lead to one place, and go on as one.
      if (next !== undefined && !reached.includes(next)) reached.push(next)
    }
  }
  return reached
}

/** Taken apart into letters, by whatever; or anyhow, but by signs only. */
function isJoinable(before: Word | undefined, { gap, isLetter }: Word): boolean {
  if (gap.length > MAX_JOINED_GAP_CHARACTERS) return false
  return (before?.isLetter === true && isLetter) || !WHITE_SPACE.test(gap)
}

/** Words have some five letters: one that stands alone counts for a part of a word, which may have been taken apart. */
const LETTER_WORDS = 0.2

/** How many words stand before each word of a prompt, and before its end. */
export function placesOf(words: readonly Word[]): number[] {
  const places = [0]
  for (const [index, { isLetter }] of words.entries()) places.push((places[index] ?? 0) + (isLetter ? LETTER_WORDS : 1))
  return places
}
