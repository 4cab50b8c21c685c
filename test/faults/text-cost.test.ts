/**
 * What the event loop does with customers' texts costs in proportion to their length, whatever is in them: otherwise one
 * account buys the time of all others with a request that is refused and free.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
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
