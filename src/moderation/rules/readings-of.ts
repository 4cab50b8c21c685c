import { foldText, lookAlikesOf, undisguise } from './fold-text.ts'
import { LEET, LOOSE_LOOK_ALIKES } from './look-alikes.ts'

/** What an age below eighteen is read as, alone or before its unit: `15` is `#`, `15yo` is `#yo`. */
const AGE = /^(\d{1,2})(\D*)$/u
const ADULT_YEARS = 18

const LATIN = /\p{Script=Latin}/u
const OTHER_ALPHABET = /[\p{Script=Cyrillic}\p{Script=Greek}]/u

const SIGN_OR_DIGIT = /[\d@$!|]/u
const SIGNS_AROUND = /^[@$]+|[@$]+$/gu
const ANY_LETTER = /\p{L}/u

/** A star hides a vowel as a rule. */
const HIDDEN_VOWELS = ['a', 'e', 'i', 'o', 'u']

/** No word of the five languages has a letter three times in a row; with two it would be another word (rapping). */
const DRAWN_OUT = /(\p{L})\1{2,}/u

/** Before a drawn-out word: it is read with each letter once, and compared with words of which the same is done. */
export const DRAWN_OUT_SIGN = '~'

/** What one word, as it stands in a prompt, may be meant as; the plain reading first. */
export function readingsOf(text: string): ReadonlySet<string> {
  const plain = foldText(text)
  const readings = new Set([plain])
  const age = AGE.exec(plain)
  if (age !== null && Number(age[1]) > 0 && Number(age[1]) < ADULT_YEARS) readings.add(`#${age[2]}`)
  for (const each of [...readings, ...mixedReadings(text)]) for (const read of unsigned(each)) readings.add(read)
  for (const each of [...readings]) {
    if (!each.includes('*')) continue
    for (const vowel of HIDDEN_VOWELS) readings.add(each.replaceAll('*', vowel))
  }
  for (const each of [...readings]) {
    if (DRAWN_OUT.test(each)) readings.add(`${DRAWN_OUT_SIGN}${withoutRepetitions(each)}`)
  }
  return readings
}

/** Of a word in letters of several alphabets. */
function mixedReadings(text: string): string[] {
  const bare = undisguise(text)
  if (!LATIN.test(bare) || !OTHER_ALPHABET.test(bare)) return []
  const loose = LOOSE_LOOK_ALIKES.map((alike) => foldText(lookAlikesOf(bare.toLowerCase(), alike)))
  return [...loose, ...LOOSE_LOOK_ALIKES.map((alike) => lookAlikesOf(foldText(bare), alike))]
}

/** With signs and digits as the letters that they may stand for, and without the signs around it (`@name`). */
function unsigned(word: string): string[] {
  if (!SIGN_OR_DIGIT.test(word)) return [word]
  const leet = LEET.map((alike) => lookAlikesOf(word, alike))
  return ANY_LETTER.test(word) || /[@$]/u.test(word) ? [word, word.replace(SIGNS_AROUND, ''), ...leet] : [word]
}

/** With each letter that follows itself once. */
export function withoutRepetitions(word: string): string {
  return word.replace(/(.)\1+/gu, '$1')
}
