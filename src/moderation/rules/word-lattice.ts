import { readingsOf } from './readings-of.ts'
import type { Word } from './split-words.ts'

/** One way to read on from a word: what is read, and where it goes on. */
export interface Step {
  readonly readings: ReadonlySet<string>
  /** Index of the word that follows. */
  readonly next: number
}

export interface LatticeWord {
  /** Words before it. A letter that stands alone counts for a part of one: the word may have been taken apart. */
  readonly place: number
  readonly steps: readonly Step[]
}

/** For each word the ways to read from it: as it stands, and as the beginning of a word that was taken apart. */
export type WordLattice = readonly LatticeWord[]

/** Words have some five letters. */
const LETTER_WORDS = 0.2

/** The longest words of the policy are shorter; more need not be joined. */
const MAX_JOINED_CHARACTERS = 24

/** `n . u` is still one word taken apart; two letters further from each other are two. */
const MAX_GAP_CHARACTERS = 4

/** A letter that is drawn out further in a word that was taken apart has become a row of letters. */
const MAX_ALIKE_PARTS = 4

const WHITE_SPACE = /\s/u

/** Alone between two parts they separate them (`n*a*k*e*d`), or stand for a letter (`n*ked`). */
const LETTER_SIGN = /^[!|*]$/u

export interface Joined {
  readonly readings: ReadonlySet<string>
  /** Whether one of them can still become a word of the policy. */
  readonly goesOn: boolean
}

/** How a text is read. */
export type Read = (text: string) => Joined

/** Words that are remembered with their readings: prompts are made of the same few thousand. */
const MAX_REMEMBERED = 5_000

/**
 * `isBeginning` says whether a reading can still become a word of the policy: without it, a prompt of
 * 2,500 letters apart makes sixty thousand words and takes 280 ms in place of 55.
 */
export function reader(isBeginning: (reading: string) => boolean): Read {
  const known = new Map<string, Joined>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const readings = readingsOf(text)
    const joined = { readings, goesOn: [...readings].some(isBeginning) }
    if (text.length > MAX_JOINED_CHARACTERS) return joined
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(text, joined)
    return joined
  }
}

export function wordLattice(words: readonly Word[], read: Read): WordLattice {
  let place = 0
  return words.map((word, index) => {
    const steps: Step[] = [{ readings: read(word.text).readings, next: index + 1 }]
    let joined = word.text
    let signed = word.text
    let areLetters = word.isLetter
    let areTight = true
    let alike = 1
    for (let next = index + 1; next < words.length; next += 1) {
      const part = words[next]
      if (part === undefined || joined.length + part.text.length > MAX_JOINED_CHARACTERS) break
      alike = part.text === words[next - 1]?.text ? alike + 1 : 1
      if (alike > MAX_ALIKE_PARTS) break
      // Taken apart into letters, by whatever; or anyhow, but by signs only.
      areLetters &&= part.isLetter && part.gap.length <= MAX_GAP_CHARACTERS
      areTight &&= part.gap.length <= MAX_GAP_CHARACTERS && !WHITE_SPACE.test(part.gap)
      if (!areLetters && !areTight) break
      joined += part.text
      signed += LETTER_SIGN.test(part.gap) ? `${part.gap}${part.text}` : part.text
      const ways = signed === joined ? [read(joined)] : [read(joined), read(signed)]
      steps.push({ readings: new Set(ways.flatMap(({ readings }) => [...readings])), next: next + 1 })
      // Only now: the last letter may have gone beyond a stem that is complete.
      if (!ways.some(({ goesOn }) => goesOn)) break
    }
    const at = place
    place += word.isLetter ? LETTER_WORDS : 1
    return { place: at, steps }
  })
}
