import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterMs } from './fetch-retry-after.ts'

const NOW = new Date('2026-01-01T00:00:00Z')

test('reads seconds and dates, and nothing else', () => {
  const cases: readonly [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:10:00 GMT', 600_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e9', undefined],
    ['9999999999', undefined],
    ['soon', undefined],
    ['2026-01-01', undefined],
    ['', undefined],
  ]
  for (const [header, expected] of cases) assert.equal(retryAfterMs(header, NOW), expected, String(header))
})
