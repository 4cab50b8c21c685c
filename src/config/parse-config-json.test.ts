import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { JsonFault, parseConfigJson } from './parse-config-json.ts'

describe('a configuration in JSON', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(parseConfigJson(text), JSON.parse(text))
      }),
    )
    for (const text of [' [ ] ', '{"a" :1,\r\n\t"b":[-0.5e+3,true,null,"\\u00e4\\n"]}', '{"__proto__":1}', '{}\n']) {
      assert.deepEqual(parseConfigJson(text), JSON.parse(text))
    }
  })

  test('is refused wherever JSON.parse refuses it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 2 }),
        fc.nat(),
        fc.constantFrom('', '"', ',', '}', ']', '\\', '\n', 'x', '0'),
        (text, at, put) => {
          const place = at % (text.length + 1)
          const changed = text.slice(0, place) + put + text.slice(place + 1)
          const ours = outcome(() => parseConfigJson(changed))
          // Of two equal keys JSON.parse takes the last.
          if (ours === 'twice') return
          assert.equal(
            ours,
            outcome(() => JSON.parse(changed)),
            changed,
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })

  const refused: readonly (readonly [name: string, text: string, says: string])[] = [
    ['an empty file', '', 'it is empty; the least that it can be is {}'],
    ['nothing but space', ' \n\n', 'it is empty; the least that it can be is {}'],
    ['a comment', '{\n  // of mine\n}', 'line 2, column 3: there is a comment, which JSON does not have'],
    ['a comment of another kind', '{"a": /* 1 */ 1}', 'line 1, column 7: there is a comment, which JSON does not have'],
    ['a comment behind', '{}\n# end', 'line 2, column 1: there is a comment, which JSON does not have'],
    ['a comma too many', '{"a": 1,\n}', 'line 2, column 1: expected: a key in double quotes'],
    ['a comma too few', '{"a": 1\n "b": 2}', 'line 2, column 2: expected: "," or "}"'],
    ['a key without quotes', '{a: 1}', 'line 1, column 2: expected: a key in double quotes'],
    ['an end that is missing', '{"a": [1', 'line 1, column 9: it ends too early; expected: "," or "]"'],
    [
      'a wrong escape',
      '{"a": "\\x"}',
      'line 1, column 7: the text has an escape or a sign in it that JSON does not have',
    ],
    ['a second value', '{} {}', 'line 1, column 4: expected: the end of the file'],
    ['a key that is there twice', '{"a": {"b": 1,\n"b": 1}}', 'line 2, column 1: a key is there twice: "b"'],
    ['a key that is there twice in disguise', '{"b": 1, "\\u0062": 1}', 'line 1, column 10: a key is there twice: "b"'],
    ['endless nesting', '['.repeat(5_000), 'line 1, column 102: expected: no more than 100 levels'],
  ]
  for (const [name, text, says] of refused) {
    test(`with ${name} is refused, and the place said`, () => {
      assert.throws(() => parseConfigJson(text), new JsonFault(says))
    })
  }

  test('is not repeated in an error', () => {
    for (const text of ['{"apiKey": sk-secret}', '{"apiKey": "sk-secret}', 'sk-secret', '{"apiKey": "sk-secret" x']) {
      assert.throws(
        () => parseConfigJson(text),
        (error) => error instanceof JsonFault && !error.message.includes('sk-'),
      )
    }
  })
})

function outcome(parse: () => unknown): unknown {
  try {
    return JSON.stringify(parse())
  } catch (error) {
    return error instanceof JsonFault && error.message.includes('twice') ? 'twice' : 'refused'
  }
}
