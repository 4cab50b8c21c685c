import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../canonical/refusal.ts'
import { readAccept } from './accept.ts'

const READ: readonly (readonly [header: string | undefined, format: 'json' | 'ndjson'])[] = [
  [undefined, 'json'],
  ['*/*', 'json'],
  ['application/json', 'json'],
  ['application/json, text/plain, */*', 'json'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['Application/X-NDJSON; charset=utf-8', 'ndjson'],
  ['application/x-ndjson, application/json', 'ndjson'],
  ['application/json, application/x-ndjson', 'json'],
  ['application/json;q=0.5, application/x-ndjson;q=0.9', 'ndjson'],
  ['application/x-ndjson;q=0, */*', 'json'],
]

for (const [header, format] of READ) {
  test(`Accept: ${header} means ${format}`, () => assert.equal(readAccept(header), format))
}

for (const header of ['text/html', '', 'application/json;q=0', 'text/event-stream', 'application/xml, image/*']) {
  test(`Accept: ${header} is refused`, () => {
    assert.throws(
      () => readAccept(header),
      (error) =>
        error instanceof Refusal &&
        error.code === 'invalid_field' &&
        error.message.includes(JSON.stringify(header)) &&
        error.message.endsWith('allowed: application/json or application/x-ndjson.'),
    )
  })
}
