import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readProgress } from './read-progress.ts'

test('progress is read as upstreams write it', () => {
  for (const [written, read] of [
    [0, 0],
    [42, 42],
    [99.97, 99],
    [100, 100],
    ['50%', 50],
    [' 7.5 % ', 7],
    ['12', 12],
  ] as const) {
    assert.equal(readProgress(written), read, String(written))
  }
})

test('progress that makes no sense says nothing', () => {
  for (const written of [-1, 101, 1e9, Number.NaN, '150%', 'half', '', '1e2', null, undefined, true, [50], {}]) {
    assert.equal(readProgress(written), undefined, String(written))
  }
})
