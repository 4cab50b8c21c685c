/**
 * What the event loop does with customers' texts costs in proportion to their length, whatever is in them: otherwise one
 * account buys the time of all others with a request that is refused and free.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readInput } from '../../src/dialects/read-input.ts'
import { generationBody } from '../../src/dialects/xai/schema.ts'
import { BODY_LIMIT_BYTES } from '../../src/http/parse-json.ts'
import { parseLargeJson } from '../../src/http/parse-large-json.ts'
import { judgePrompt } from '../../src/moderation/rules/judge-prompt.ts'
import { readSandbox } from '../../src/providers/animatic/sandbox.ts'
import { costlyTexts, plainText } from '../support/costly-texts.ts'
import { cpuMs, mostCostly } from '../support/cpu-time.ts'

/** How much more than a plain text the worst of the same length may cost. */
const MAX_RATIO = 20

/** The longest prompt that a model of the catalog takes. */
const PROMPT_CHARACTERS = 5_000

const judge = (prompt: string) => judgePrompt({ prompt, mode: 'normal', hasPicture: true, spicyAllowed: false })

describe('a prompt of whatever is made to take long', () => {
  const texts = costlyTexts(PROMPT_CHARACTERS)
  const plain = plainText(PROMPT_CHARACTERS)

  test('is as long as the plain one that it is compared with', () => {
    assert.ok(texts.length > 400)
    for (const { name, text } of texts) assert.equal(text.length, PROMPT_CHARACTERS, name)
  })

  test('is judged in proportion to its length', () => {
    for (let round = 0; round < 20; round += 1) judge(plain)
    const { input, ms } = mostCostly(texts, ({ text }) => judge(text))
    const plainMs = cpuMs(() => judge(plain))
    assert.ok(ms <= MAX_RATIO * plainMs, `${input.name}: ${ms} ms, and a plain one ${plainMs} ms`)
  })

  test('has its sandbox words read in less time than it is judged in', () => {
    const { input, ms } = mostCostly(texts, ({ text }) => readSandbox(text))
    const plainMs = cpuMs(() => judge(plain))
    assert.ok(ms <= plainMs, `${input.name}: ${ms} ms`)
  })
})

describe('a body of whatever is made to take long', () => {
  const plain = Buffer.from(JSON.stringify({ model: 'grok-imagine-video', prompt: 'a'.repeat(BODY_LIMIT_BYTES - 100) }))
  const filled = (head: string, piece: string, tail: string, bytes = plain.length) =>
    Buffer.from(`${head}${piece.repeat(Math.floor((bytes - head.length - tail.length) / piece.length))}${tail}`)
  const pieces = [
    '\\"',
    '\\\\',
    '\\u0041',
    ',',
    '[',
    '[],',
    '{},',
    '[[[1]]],',
    '{"a":[{}]},',
    '"a",',
    '"",',
    ' ',
    '1e308,',
    '"\\ud800",',
  ]
  const hostile = [plain.length, 31 * 1024 * 1024].flatMap((bytes) =>
    pieces.flatMap((piece) => [
      filled('{"prompt":"', piece, '"}', bytes),
      filled('{"model":"grok-imagine-video","prompt":"x","params":{"a":[', piece, '1]}}', bytes),
      filled('{"prompt":"x","reference_images":[', piece, '1]}', bytes),
    ]),
  )

  test('is read in proportion to what a body may have beside pictures', () => {
    const { input, ms } = mostCostly(hostile, (body) => read(body))
    const plainMs = cpuMs(() => read(plain))
    assert.ok(ms <= MAX_RATIO * plainMs, `${input.toString('latin1', 0, 80)}: ${ms} ms, and a plain one ${plainMs} ms`)
  })

  /** Up to the first thing that is wrong. What is read of a large body without data URIs is read at once. */
  function read(body: Buffer): void {
    // Its own refusals are no fault; what else is thrown shows in the tests of it.
    void parseLargeJson(body).catch(() => {})
  }
})

describe('an input that is wrong in a thousand places', () => {
  const wrongItems = (item: unknown) => ({ prompt: 'x', reference_images: Array.from({ length: 900 }, () => item) })

  test('is refused in bounded time, with some of the fields and how many more there are', () => {
    const plainMs = cpuMs(() => judge(plainText(PROMPT_CHARACTERS)))
    for (const item of [1, 'x', [], {}, null, { url: 1, file_id: 2 }]) {
      const refused = () =>
        assert.throws(
          () => readInput(generationBody, wrongItems(item)),
          /reference_images\.0 .*892 more fields are wrong/,
        )
      const ms = cpuMs(refused)
      assert.ok(
        ms <= 2 * MAX_RATIO * plainMs,
        `${JSON.stringify(item)}: ${ms} ms, and to judge a plain prompt ${plainMs} ms`,
      )
    }
  })
})
