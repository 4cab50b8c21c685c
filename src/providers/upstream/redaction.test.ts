import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../canonical/json.ts'
import { Redaction } from './redaction.ts'

const KEY = 'sk-first/0123+456'
const redaction = new Redaction([KEY, 'https://example.com/callbacks/1', 'none', ''])

test('a secret is cut out of words at any depth, as it is and as it is written into URLs', () => {
  const said: Json = { error: [{ message: `wrong key ${KEY}, in ?key=${encodeURIComponent(KEY)}` }, 7, null, 'none'] }
  assert.deepEqual(redaction.ofJson(said), {
    error: [{ message: 'wrong key [secret], in ?key=[secret]' }, 7, null, 'none'],
  })
  assert.equal(redaction.ofText(`{"url":"${KEY.replaceAll('/', '\\/')}"}`), '{"url":"[secret]"}')
  assert.equal(redaction.ofText('to https://example.com/callbacks/1.'), 'to [secret].')
})

test('data are left as they are, and what is said before them is not', () => {
  const video = 'AAAA'.repeat(100_000)
  assert.equal(redaction.ofText(video), video)
  const echoed = redaction.ofText(`wrong key ${KEY}: ${video}`)
  assert.ok(echoed.startsWith('wrong key [secret]: ') && !echoed.includes(KEY))
})

test('without a secret nothing is looked through', () => {
  const json: Json = { a: [KEY] }
  assert.equal(new Redaction(['id']).ofJson(json), json)
})
