import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../canonical/refusal.ts'
import { isStorable } from '../dialects/read-input.ts'
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
    assert.doesNotThrow(() => parse(JSON.stringify(Array.from({ length: 300 }, () => [{}]))))
  })

  test('needs time in proportion to the body, whatever is in it', () => {
    const began = process.cpuUsage()
    assertMalformed(`{"a":"${'\\"'.repeat(130_000)}`, /not valid JSON/)
    assertMalformed(`{"a":"${'\\'.repeat(10_000_000)}`, /not valid JSON/)
    const url = `data:image/png;base64,${'QUJD'.repeat(7_000_000)}`
    assert.deepEqual(parse(JSON.stringify({ url })), { url })
    // Some 200 ms of the processor; in proportion to the square it would be hours.
    assert.ok(process.cpuUsage(began).user < 10_000_000)
  })

  test('refuses more than 1,000 values, before it makes them, and counts none that stand in a text', () => {
    assert.doesNotThrow(() => parse(JSON.stringify(Array(1_000).fill(1))))
    assertMalformed(JSON.stringify(Array(1_001).fill(1)), /1000 values/)
    assertMalformed(`[${'1,'.repeat(1_001)}`, /1000 values/)
    assertMalformed(`[${'[[[[1]]]],'.repeat(250)}1]`, /1000 values/)
    assertMalformed(`[${'{},'.repeat(600)}1]`, /1000 values/)
    for (const text of [','.repeat(20_000), `"${','.repeat(20_000)}`, `\\"\\${','.repeat(20_000)}`]) {
      assert.deepEqual(parse(JSON.stringify({ text })), { text })
    }
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

  describe('text that cannot be stored', () => {
    const bad: readonly (readonly [body: string, field: string, value: string])[] = [
      ['{"metadata":"\\u0000"}', 'metadata', '\0'],
      ['{"metadata":"a\\ud800b"}', 'metadata', 'a\ud800b'],
      ['{"metadata":"\\udc00\\ud800"}', 'metadata', '\udc00\ud800'],
      ['{"output":{"upload_url":"https://a.example/\\uD800"}}', 'output.upload_url', 'https://a.example/\ud800'],
      ['{"a":[{"b":["x","\\u0000"]}]}', 'a.0.b.1', '\0'],
      ['"\\u0000"', 'body', '\0'],
    ]
    for (const [body, field, value] of bad) {
      test(`${body} is refused, and its path named`, () => {
        assert.throws(
          () => parse(body),
          (error) => {
            assert.ok(error instanceof Refusal)
            assert.equal(error.code, 'invalid_field')
            assert.deepEqual([error.detail?.field, error.detail?.value], [field, value])
            return error.message === `${field} cannot be ${JSON.stringify(value)}; allowed: ${error.detail?.allowed}.`
          },
        )
      })
    }

    test('is no key, however deep', () => {
      assertMalformed('{"\\u0000":1}', /key "\\u0000" cannot be used.*without NUL/)
      assertMalformed('{"a":[{"b\\ud800":{}}]}', /key "a\.0\.b\\ud800" cannot be used.*valid Unicode/)
    })

    test('is refused, and no other', () => {
      const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
      const text = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(unit, { maxLength: 4 }).map((units) => units.join('')),
      )
      fc.assert(
        fc.property(text, (each) => {
          const body = JSON.stringify({ a: [each] })
          if (isStorable(each)) assert.deepEqual(parse(body), { a: [each] })
          else assert.throws(() => parse(body), Refusal)
        }),
      )
      assert.deepEqual(parse('["\\\\u0000", "\\ud83c\\udf0a", "\\u00e9"]'), ['\\u0000', '🌊', 'é'])
    })
  })

  test('refuses bytes that are not UTF-8', () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8c]]) {
      assertMalformed(Buffer.concat([Buffer.from('"'), Buffer.from(bytes), Buffer.from('"')]), /UTF-8/)
    }
  })
})
