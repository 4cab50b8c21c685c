import { lookAlikesOf } from './fold-text.ts'
import { LEET, LOOK_ALIKES, LOOSE_LOOK_ALIKES } from './look-alikes.ts'
import type { Word } from './split-words.ts'

/** One place of a word, and what it may be read as. */
export interface Letter {
  /** Single characters, the plain one first. */
  readonly readings: readonly string[]
  /** May be passed over: a letter that repeats the one before (`nuuude`), a sign at an end of the word (`@name`). */
  readonly isOptional: boolean
}

/** A word, ready to be compared with the words of the policy. */
export interface SpelledWord {
  readonly letters: readonly Letter[]
  /** How many of its first letters are an age below eighteen that the word begins with (`15`, `15yo`); 0 for none. */
  readonly ageLetters: number
}

const PLAIN = /^[a-z]*$/
const LATIN = /\p{Script=Latin}/u
const OTHER_ALPHABET = /[\p{Script=Cyrillic}\p{Script=Greek}]/u

const AGE = /^\d{1,2}(?!\d)/
const ADULT_YEARS = 18

/** No word of the five languages has a letter three times in a row; with two it would be another word (rapping). */
const DRAWN_OUT_LETTERS = 3

const EDGE_SIGNS: readonly string[] = ['@', '$']

/** Each character as it stands: most of a prompt, so made once. */
const PLAIN_LETTERS = new Map<string, Letter>()

/** A sign that stands alone between two parts of a word may be one of its letters: a star hides a vowel as a rule. */
export const SIGN_LETTERS: ReadonlyMap<string, Letter> = new Map([
  ['*', { readings: ['a', 'e', 'i', 'o', 'u'], isOptional: false }],
  ...['!', '|'].map((sign) => [sign, { readings: leetOf(sign), isOptional: false }] as const),
])

/** How a word may be read, whatever digits, signs and letters of other alphabets stand in it for its letters. */
export function spelled({ text }: Word): SpelledWord {
  const plain = text.toLowerCase()
  if (PLAIN.test(plain)) return { letters: markRepeated(Array.from(plain, plainLetter)), ageLetters: 0 }
  const isMixed = LATIN.test(text) && OTHER_ALPHABET.test(text)
  const letters = Array.from(text).flatMap((character) => lettersOf(character, isMixed))
  return { letters: markEdges(markRepeated(letters)), ageLetters: ageLettersOf(plain) }
}

function plainLetter(character: string): Letter {
  const known = PLAIN_LETTERS.get(character)
  if (known !== undefined) return known
  const letter = { readings: [character], isOptional: false }
  PLAIN_LETTERS.set(character, letter)
  return letter
}

/** A character that looks like two letters is two. */
function lettersOf(character: string, isMixed: boolean): Letter[] {
  const folded = Array.from((LOOK_ALIKES.get(character) ?? character).toLowerCase())
  const [single = '', ...more] = folded
  if (more.length > 0) return folded.map(plainLetter)
  const others = [...leetOf(single), ...(isMixed ? looseOf(character.toLowerCase()) : [])]
  return [
    others.length === 0 ? plainLetter(single) : { readings: [...new Set([single, ...others])], isOptional: false },
  ]
}

function leetOf(character: string): string[] {
  return LEET.flatMap((alike) => alike.get(character) ?? [])
}

function looseOf(character: string): string[] {
  return LOOSE_LOOK_ALIKES.map((alike) => lookAlikesOf(character, alike)).filter((each) => each !== character)
}

function ageLettersOf(word: string): number {
  const [age] = AGE.exec(word) ?? []
  return age !== undefined && Number(age) > 0 && Number(age) < ADULT_YEARS ? age.length : 0
}

/** Where a letter is drawn out, all but its first may be passed over. */
function markRepeated(letters: readonly Letter[]): Letter[] {
  const marked: Letter[] = []
  for (let start = 0; start < letters.length; ) {
    const first = letters[start]
    let end = start + 1
    while (end < letters.length && letters[end]?.readings[0] === first?.readings[0]) end += 1
    const isDrawnOut = end - start >= DRAWN_OUT_LETTERS
    for (const [index, letter] of letters.slice(start, end).entries()) {
      marked.push(isDrawnOut && index > 0 ? { ...letter, isOptional: true } : letter)
    }
    start = end
  }
  return marked
}

function markEdges(letters: readonly Letter[]): readonly Letter[] {
  const isSign = ({ readings: [plain = ''] }: Letter) => EDGE_SIGNS.includes(plain)
  const first = letters.findIndex((letter) => !isSign(letter))
  // Nothing but signs: if those could be passed over, a row of them could be without end.
  if (first === -1) return letters
  const last = letters.findLastIndex((letter) => !isSign(letter))
  return letters.map((letter, index) => (index < first || index > last ? { ...letter, isOptional: true } : letter))
}
