import { undisguise } from './fold-text.ts'

/** A word of a prompt as it stands there, undisguised. */
export interface Word {
  readonly text: string
  /** What stands between it and the word before. */
  readonly gap: string
  /** One letter or digit, with the marks of its script. */
  readonly isLetter: boolean
  /** Written like a name: a capital, then small letters. */
  readonly isCapitalized: boolean
}

/** Letters, marks and digits, and the signs that stand for letters; those that separate words as well are gaps. */
const WORD = /[\p{L}\p{M}\p{N}@$]+/gu

const LETTER = /^(?:\p{L}\p{M}*|[\p{N}@$])$/u

const CAPITALIZED = /^\p{Lu}\p{M}*\p{Ll}/u

export function splitWords(prompt: string): Word[] {
  const text = undisguise(prompt)
  const words: Word[] = []
  let end = 0
  for (const found of text.matchAll(WORD)) {
    const [word] = found
    words.push({
      text: word,
      gap: text.slice(end, found.index),
      isLetter: LETTER.test(word),
      isCapitalized: CAPITALIZED.test(word),
    })
    end = found.index + word.length
  }
  return words
}
