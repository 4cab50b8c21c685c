import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../canonical/refusal.ts'
import { parseJson } from './parse-json.ts'

const parse = (text: string) => parseJson(Buffer.from(text))

function assertMalformed(body: string | Buffer, says: RegExp): void {
  assert.throws(
    () => parseJson(Buffer.from(body)),
    (error) => error instanceof Refusal && error.code === 'malformed_body' && says.test(error.message),
  )
}

describe('parseJson', () => {
  test('reads whatever JSON.stringify writes, but for what it refuses by name', () => {
    const value = fc.jsonValue({ maxDepth: 8 })
    fc.assert(
      fc.property(value, (each) => {
        const text = JSON.stringify(each)
        fc.pre(!text.includes('__proto__'))
        assert.deepEqual(parse(text), JSON.parse(text))
      }),
    )
  })

  test('takes an empty body for none', () => {
    assert.equal(parse(''), undefined)
  })

  test('refuses broken JSON without repeating it', () => {
    for (const text of [
      '{',
      '{"a":}',
      'secret',
      '{"secret"',
      '["secret",]',
      "{'secret':1}",
      `{"a":"${'secret '.repeat(9)}","b": secret ${'secret '.repeat(9)}}`,
    ]) {
      assertMalformed(text, /^(?!.*secret).*not valid JSON/s)
    }
  })

  test('refuses the key "__proto__", however it is written, and takes it as a value', () => {
    for (const key of ['__proto__', '\\u005f_proto__', '__\\u0070roto__', '__proto_\\u005F']) {
      assertMalformed(`{"a":[{"${key}":1}]}`, /__proto__/)
    }
    assert.deepEqual(parse('{"a":"__proto__"}'), { a: '__proto__' })
    assert.deepEqual(parse('{"a":"\\"__proto__\\""}'), { a: '"__proto__"' })
  })

  test('refuses what is nested too deeply, and takes what is not, whatever brackets its texts have', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`
      assert.doesNotThrow(() => parse(nested(32)))
      assertMalformed(nested(33), /32 levels/)
      assertMalformed(nested(40_000), /32 levels/)
    }
    assertMalformed('['.repeat(200_000), /32 levels/)
    for (const text of ['['.repeat(100), '"'.repeat(99) + '['.repeat(100), '\\'.repeat(7) + '{'.repeat(100)]) {
      assert.deepEqual(parse(JSON.stringify({ text })), { text })
    }
    assert.doesNotThrow(() => parse(JSON.stringify(Array.from({ length: 1_000 }, () => [{}]))))
  })

  test('needs time in proportion to the body, whatever is in it', () => {
    const began = performance.now()
    assertMalformed(`{"a":"${'\\"'.repeat(130_000)}`, /not valid JSON/)
    assert.ok(performance.now() - began < 1_000)
  })

  test('refuses a number that cannot be held, and names its key', () => {
    for (const number of ['1e999', '-1e999', '9'.repeat(400)])
      assertMalformed(`{"duration":${number}}`, /"duration" is too large/)
    assert.deepEqual(parse('[1e308, -1e-999]'), [1e308, -0])
  })

  test('refuses a key of more than 100 characters, without repeating it', () => {
    assertMalformed(`{"${'k'.repeat(101)}":1}`, /^(?!.*kkk).*100 characters/)
    assert.doesNotThrow(() => parse(`{"${'k'.repeat(100)}":1}`))
  })

  test('refuses bytes that are not UTF-8', () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8c]]) {
      assertMalformed(Buffer.concat([Buffer.from('"'), Buffer.from(bytes), Buffer.from('"')]), /UTF-8/)
    }
  })
})
