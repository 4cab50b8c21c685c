import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandError } from './command-error.ts'
import { readCredits, readId, readMode, readPlan, readScopes, readWholeNumber } from './read-argument.ts'

const ID = `acct_${'0123456789abcdef'.repeat(2)}`

/** Throws a sentence that names what was written and what is allowed. */
function assertRefused(read: () => unknown, ...says: string[]): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof CommandError)
    for (const part of says) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`)
    return true
  })
}

describe('command-line values', () => {
  test('reads an id of the wanted prefix, and refuses any other', () => {
    assert.equal(readId('acct', ID), ID)
    for (const text of ['', 'acct_', 'acct_1', ID.toUpperCase(), `${ID}0`, ID.replace('acct', 'key'), ` ${ID}`]) {
      assertRefused(() => readId('acct', text), `"${text}"`, 'acct_…')
    }
  })

  test('reads credits as a whole number, and refuses what a shell or a person may make of one', () => {
    assert.equal(readCredits('0'), 0n)
    assert.equal(readCredits('999999999999'), 999_999_999_999n)
    for (const text of ['', '-1', '+1', '1.5', '1e3', '1,000', '0x10', ' 5', '1000000000000', 'many']) {
      assertRefused(() => readCredits(text), `"${text}"`, 'whole number', '999999999999')
    }
  })

  test('reads a plan and a mode by name', () => {
    assert.equal(readPlan('pro'), 'pro')
    assert.equal(readMode('test'), 'test')
    assertRefused(() => readPlan('Pro'), '"Pro"', 'free, pro, enterprise')
    assertRefused(() => readMode('both'), '"both"', 'live, test')
    assertRefused(() => readPlan('constructor'), '"constructor"')
  })

  test('reads scopes with commas between, and names the one that is none', () => {
    assert.deepEqual(readScopes('credits:read,generations:read'), ['credits:read', 'generations:read'])
    assertRefused(() => readScopes('credits:read,all'), '"all"', 'generations:create')
    assertRefused(() => readScopes(''), '""')
    assertRefused(() => readScopes('credits:read, models:read'), '" models:read"')
  })

  test('reads a whole number within bounds', () => {
    const read = readWholeNumber('days', { min: 1, max: 3_650 })
    assert.equal(read('1'), 1)
    assert.equal(read('3650'), 3_650)
    for (const text of ['0', '3651', '-1', '1.0', '', '1e2', '99999999999']) {
      assertRefused(() => read(text), 'days', `"${text}"`, 'from 1 to 3650')
    }
  })
})
