import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isBlank } from './is-blank.ts'

describe('isBlank', () => {
  test('is true of whatever shows nothing', () => {
    for (const text of [
      '',
      ' \n\t\u3000\u00a0\u2028\ufeff',
      '\u200b\u200c\u200d\u2060\u180e\u00ad',
      '\u0001\u007f\u0085',
      '\u0301\u0308\u20dd',
      '\ufe0f\u{e0061}\u{e007f}',
      '\u202e\u2066\u2069',
      '\u115f\u1160\u3164\uffa0',
      '\u2800\u2800',
      '\ue000',
      '\u200b'.repeat(5_000),
    ]) {
      assert.equal(isBlank(text), true, JSON.stringify(text))
    }
  })

  test('is false as soon as there is one letter, digit, sign or picture', () => {
    for (const text of ['a', '\u200ba\u200b', '7', '.', '海', 'नग', '👧', '🌊\ufe0f', 'é', '\u200b—']) {
      assert.equal(isBlank(text), false, JSON.stringify(text))
    }
  })
})
