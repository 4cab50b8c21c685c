/**
 * Brings a text into the one form in which it is compared with the words of the policy: however a word was dressed up, by
 * invisible characters, stacked accents, letters of other alphabets or odd forms of the same letter, it folds to itself.
 */
import { LOOK_ALIKES } from './look-alikes.ts'

const ASCII_ONLY = /^[\t\n\r -~]*$/

/** Zero-width characters, soft hyphens, variation selectors, direction marks, tags; and controls but white space. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]|(?!\s)\p{Cc}/gu

/** Marks that belong to no script of their own, wherever they are; and whatever is stacked on letters that need none. */
const STACKED_MARKS =
  /(?=\p{M})\p{Script=Inherited}|(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}])\p{M}+/gu

/**
 * More marks on one letter than any language stacks (UAX 15 allows thirty), which normalizing sorts in time in proportion
 * to the square of their number.
 */
const TOO_MANY_MARKS = /(\p{M}{8})\p{M}+/gu

/** Words of Arabic and Japanese in one character, of up to eighteen letters each; none is read as anything else. */
const WHOLE_WORDS = /[\u3300-\u3357\ufdf0-\ufdfd]/gu

/** In Hindi a nukta is as often left out as written, and a chandrabindu written as an anusvara. */
const NUKTA = /\u093c/gu
const CHANDRABINDU = /\u0901/gu

/** Letters in dark circles and squares, which NFKC leaves; each block is A to Z. */
const DARK_LETTERS = /[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu
const DARK_LETTERS_START = [0x1f170, 0x1f150]

/** Two of them are a flag, and each is a letter. */
const REGIONAL_INDICATORS = /[\u{1f1e6}-\u{1f1ff}]/gu
const REGIONAL_INDICATOR_A = 0x1f1e6

const CAPITAL_A = 0x41

/** Digits of Arabic, Persian, Devanagari and Bengali texts, by their zeros; ten follow each other. */
const FOREIGN_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]/gu
const FOREIGN_ZEROS = [0x09e6, 0x0966, 0x06f0, 0x0660]

const CHILD_EMOJI = /[\u{1f466}\u{1f467}\u{1f476}\u{1f9d2}]/gu

/** One pass may uncover work for the next, such as a letter under a mark; no text is known that needs a third. */
const MAX_PASSES = 5

/** From a right-to-left override to where it ends; of overrides inside each other the outer one. */
const TURNED_AROUND = /\u202e([^\u202c\u2028\u2029\n\r]*)/gu
const LETTERS = /\P{M}\p{M}*|\p{M}+/gu

/** As a screen shows it: what an override has written from right to left, in the order in which it is read. */
export function asShown(text: string): string {
  return text.replace(TURNED_AROUND, (_, run: string) => (run.match(LETTERS) ?? []).reverse().join(''))
}

/** Without disguises, but in its own script and case. */
export function undisguise(text: string): string {
  if (ASCII_ONLY.test(text)) return text
  return untilStable(text, (each) =>
    each
      .replace(TOO_MANY_MARKS, '$1')
      .replace(WHOLE_WORDS, ' ')
      .normalize('NFKC')
      .replace(INVISIBLE, '')
      .replace(CHILD_EMOJI, ' child ')
      .replace(REGIONAL_INDICATORS, (sign) => ` ${letterOf(sign, [REGIONAL_INDICATOR_A])} `)
      .replace(DARK_LETTERS, (sign) => letterOf(sign, DARK_LETTERS_START))
      .replace(FOREIGN_DIGITS, (digit) => String(offsetOf(digit, FOREIGN_ZEROS)))
      .normalize('NFD')
      .replace(STACKED_MARKS, '')
      .replace(NUKTA, '')
      .replace(CHANDRABINDU, '\u0902')
      .normalize('NFC'),
  )
}

/** Undisguised, look-alikes as the Latin letters that they look like, in lower case. Folding it again changes nothing. */
export function foldText(text: string): string {
  if (ASCII_ONLY.test(text)) return text.toLowerCase()
  return untilStable(text, (each) => lookAlikesOf(undisguise(each), LOOK_ALIKES).toLowerCase())
}

export function lookAlikesOf(text: string, alike: ReadonlyMap<string, string>): string {
  return Array.from(text, (character) => alike.get(character) ?? character).join('')
}

function untilStable(text: string, pass: (text: string) => string): string {
  let current = text
  for (let passes = 0; passes < MAX_PASSES; passes += 1) {
    const next = pass(current)
    if (next === current) return next
    current = next
  }
  return current
}

function letterOf(sign: string, starts: readonly number[]): string {
  return String.fromCodePoint(CAPITAL_A + offsetOf(sign, starts))
}

/** `starts` descending: the first that is not above the character is its block's. */
function offsetOf(character: string, starts: readonly number[]): number {
  const codePoint = character.codePointAt(0) ?? 0
  const start = starts.find((each) => each <= codePoint) ?? codePoint
  return codePoint - start
}
