/**
 * Refused prompts in disguise: whatever is done to their letters without making them illegible, they stay refused. A
 * filter that compares letters as they were sent is passed by one zero-width space.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { foldText } from '../../src/moderation/rules/fold-text.ts'
import { judgePrompt } from '../../src/moderation/rules/judge-prompt.ts'
import { DISGUISED_PROMPTS, REFUSED_PROMPTS } from '../support/moderation-corpus.ts'

const RUNS = 400

/** Without prompts that only their capitals tell, which a change of case undoes, and those that are in disguise already. */
const PROMPTS = Object.entries(REFUSED_PROMPTS)
  .flatMap(([, prompts]) => prompts)
  .filter((prompt) => !prompt.includes('Jane') && !DISGUISED_PROMPTS.includes(prompt))

const ZERO_WIDTH = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u034f', '\ufe0f', '\u{e0061}']
const STACKED = ['\u0301', '\u0336', '\u0353', '\u20dd']
const DOTS = ['.', '-', '_', '·', '/', '~', '*', '|', '!']
const ALIKE: Readonly<Record<string, string>> = {
  a: 'аα',
  c: 'с',
  e: 'е',
  i: 'і',
  o: 'оο',
  p: 'р',
  x: 'х',
  y: 'у',
  s: 'ѕ',
}
const LEET: Readonly<Record<string, string>> = { a: '4@', e: '3', o: '0', i: '1', s: '5$' }

type Disguise = (prompt: string, choose: (count: number) => number) => string

/** Letters with the marks that belong to them. */
function lettersOf(text: string): string[] {
  return text.match(/\P{M}\p{M}*/gu) ?? []
}

function eachLetter(change: (letter: string, choose: (count: number) => number) => string): Disguise {
  return (prompt, choose) =>
    lettersOf(prompt)
      .map((letter) => change(letter, choose))
      .join('')
}

function oneOf(choices: string | readonly string[], choose: (count: number) => number): string {
  return Array.from(choices)[choose(Array.from(choices).length)] ?? ''
}

function swapped(alike: Readonly<Record<string, string>>): Disguise {
  return eachLetter((letter, choose) => {
    const choices = alike[letter]
    return choices === undefined || choose(2) === 0 ? letter : oneOf(choices, choose)
  })
}

const DISGUISES: Readonly<Record<string, Disguise>> = {
  'zero-width characters': eachLetter((letter, choose) => letter + (choose(2) === 0 ? '' : oneOf(ZERO_WIDTH, choose))),
  'stacked marks': eachLetter((letter, choose) =>
    /\p{L}/u.test(letter) && choose(2) === 1 ? letter + oneOf(STACKED, choose) : letter,
  ),
  'fullwidth letters': eachLetter((letter) =>
    /^[!-~]$/.test(letter) ? String.fromCodePoint(letter.charCodeAt(0) + 0xfee0) : letter,
  ),
  'letters of other alphabets': swapped(ALIKE),
  'digits for letters': (prompt, choose) => (/^[a-z ,]+$/.test(prompt) ? swapped(LEET)(prompt, choose) : prompt),
  case: eachLetter((letter, choose) => (choose(2) === 0 ? letter.toUpperCase() : letter.toLowerCase())),
  'drawn-out letters': eachLetter((letter, choose) =>
    /^\p{Ll}$/u.test(letter) && choose(4) === 0 ? letter.repeat(4) : letter,
  ),
  'dots between letters': (prompt, choose) => {
    const dot = oneOf(DOTS, choose)
    return prompt
      .split(' ')
      .map((word) => (/\d/.test(word) ? word : lettersOf(word).join(dot)))
      .join(' ')
  },
  'a right-to-left override': (prompt) => `\u202e${lettersOf(prompt).reverse().join('')}\u202c`,
  'letters apart': (prompt) => (/\d/.test(prompt) ? prompt : lettersOf(prompt.replaceAll(' ', '')).join(' ')),
}

/** Two at once: these do not get into each other's way. */
const TOGETHER = ['zero-width characters', 'letters of other alphabets', 'case', 'fullwidth letters']

const prompt = fc.constantFrom(...PROMPTS)
const choices = fc.infiniteStream(fc.nat())

function chooserOf(stream: Iterator<number>): (count: number) => number {
  return (count) => Number(stream.next().value) % count
}

function assertRefused(text: string): void {
  const verdict = judgePrompt({ prompt: text, mode: 'normal', hasPicture: false, spicyAllowed: false })
  assert.equal(verdict.kind, 'refused', text)
}

describe('a refused prompt', () => {
  for (const [name, disguise] of Object.entries(DISGUISES)) {
    test(`stays refused with ${name}`, () => {
      fc.assert(
        fc.property(prompt, choices, (text, stream) => assertRefused(disguise(text, chooserOf(stream)))),
        { numRuns: RUNS },
      )
    })
  }

  test('stays refused in several disguises at once', () => {
    fc.assert(
      fc.property(prompt, choices, fc.subarray(TOGETHER), (text, stream, names) => {
        const choose = chooserOf(stream)
        assertRefused(names.reduce((disguised, name) => DISGUISES[name]?.(disguised, choose) ?? disguised, text))
      }),
      { numRuns: RUNS },
    )
  })

  test('stays refused among other words', () => {
    fc.assert(
      fc.property(prompt, fc.constantFrom('sunset over the sea', 'море', 'समुद्र', 'la mer, 4K'), (text, other) => {
        assertRefused(`${other}. ${text}. ${other}`)
      }),
      { numRuns: RUNS },
    )
  })
})

describe('folding', () => {
  test('is idempotent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const folded = foldText(text)
        assert.equal(foldText(folded), folded)
      }),
      { numRuns: 5_000 },
    )
  })

  test('never throws, and judges any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        judgePrompt({ prompt: text, mode: 'normal', hasPicture: true, spicyAllowed: false })
      }),
      { numRuns: 1_000 },
    )
  })
})
