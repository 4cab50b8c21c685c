/**
 * Texts that are made to take long to read: near misses of the policy's words, taken apart and disguised in whatever way,
 * and whatever else makes an expression or a normalizer look at the same place again and again.
 */
import { CONCEPTS } from '../../src/moderation/rules/policy/policy.ts'
import { seededRandom } from '../faults/workshop.ts'

export interface CostlyText {
  readonly name: string
  readonly text: string
}

/** What is set between letters, or between words. */
const SEPARATORS = [' ', '  ', '.', ' . ', '*', '!', '|', '-', '_', '/', '\u00b7', '\u200b', '\u00a0', '\n', ',', '@']

const DISGUISES: Readonly<Record<string, (word: string) => string>> = {
  plain: (word) => word,
  'in leet': (word) => word.replaceAll('i', '1').replaceAll('e', '3').replaceAll('a', '4').replaceAll('o', '0'),
  starred: (word) => word.replace(/[aeiou]/gu, '*'),
  'drawn out': (word) => word.replace(/(\p{L})/gu, '$1$1$1'),
  marked: (word) => word.replace(/(\p{L})/gu, '$1\u0301\u0323\u0308'),
  'in regional indicators': (word) => mapLetters(word, 0x1f1e6),
  'in dark squares': (word) => mapLetters(word, 0x1f170),
  'in mathematical letters': (word) => mapLetters(word, 0x1d41a),
  'in mixed alphabets': (word) =>
    word.replaceAll('a', 'а').replaceAll('e', 'з').replaceAll('n', 'и').replaceAll('o', 'ф'),
  'without its end': (word) => word.slice(0, -1),
  'turned around': (word) => `\u202e${Array.from(word).reverse().join('')}\u202c`,
}

/** Single characters and short pieces, repeated. */
const PIECES = [
  ...[
    'a',
    'A',
    'x1',
    '1',
    '15 ',
    '15yo',
    '@',
    '$',
    '@a',
    '@.',
    '@@@ ',
    '$.@.',
    'a@.',
    'aaa.',
    'aaa ',
    '!',
    '!!',
    '*',
    '*a',
    'a*',
    '|',
    '|a',
    '\u0301',
    'e\u0301',
    'é!1',
  ],
  ...['a ', 'a.', 'а.', 'n.u.d.a ', 'nu ', '👧', '🇳🇺', 'ﷺ', '㌖', '\u0327\u0301', '\u1100', '\u0f71', 'के', '\u093c'],
  ...[
    'remove a ',
    'remove r ',
    'take off a b c ',
    'naked girl ',
    'naked eye ',
    'emma ',
    'nude ',
    'Jane Roe ',
    'aged 1',
  ],
  ...[
    '\u202e',
    '\u202ea',
    '\u202ea\u202c',
    '\u202c',
    'sandbox:',
    ' sandbox:',
    'sandbox:! ',
    'sandbox:slow=1 ',
    'sandbox:fail ',
  ],
  ...['sexual reproduction of flowering ', 'my best ', 'strip ', 'strip off r ', 's e x u a l ', 'ae', 'æ', 'ß', 'ǆ'],
]

/** Each of them has `characters` UTF-16 units. */
export function costlyTexts(characters: number, seed = 1): CostlyText[] {
  const random = seededRandom(seed)
  const terms: readonly string[] = Object.values(CONCEPTS).flat()
  const anyTerm = () => terms[Math.floor(random() * terms.length)] ?? ''
  const filled = (piece: () => string) => {
    const pieces: string[] = []
    for (let length = 0; length < characters; length += pieces.at(-1)?.length ?? 1) pieces.push(piece() || ' ')
    return pieces.join('').slice(0, characters).toWellFormed()
  }
  const words = Object.entries(DISGUISES).flatMap(([disguise, dressed]) =>
    SEPARATORS.flatMap((separator) => [
      {
        name: `words ${disguise}, joined by ${JSON.stringify(separator)}`,
        text: filled(() => `${dressed(anyTerm().replace(/[*_#]/gu, 'a'))}${separator}`),
      },
      {
        name: `letters ${disguise}, apart by ${JSON.stringify(separator)}`,
        text: filled(() => `${Array.from(dressed(anyTerm().replace(/[*_#]/gu, ''))).join(separator)}${separator}`),
      },
    ]),
  )
  const pieces = PIECES.map((piece) => ({ name: JSON.stringify(piece), text: filled(() => piece) }))
  const token = { name: 'a long token', text: `sandbox:${'!'.repeat(characters - 9)}x` }
  const apart = SEPARATORS.map((separator) => ({
    name: `letters in no order, apart by ${JSON.stringify(separator)}`,
    text: filled(() => `${'abcdeinostu'[Math.floor(random() * 11)]}${separator}`),
  }))
  const marks = { name: 'marks in the wrong order', text: filled(() => (random() < 0.5 ? '\u0301' : '\u0327')) }
  return [...words, ...pieces, ...apart, token, marks]
}

/** What people write. */
export function plainText(characters: number): string {
  const sentence = 'A cinematic shot of a kitten chasing a butterfly in a sunlit garden, slow zoom, soft light. '
  return sentence.repeat(Math.ceil(characters / sentence.length)).slice(0, characters)
}

function mapLetters(word: string, start: number): string {
  return word.replace(/[a-z]/gu, (letter) => String.fromCodePoint(start + letter.charCodeAt(0) - 0x61))
}
