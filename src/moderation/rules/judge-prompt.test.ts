import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ALLOWED_PROMPTS, REFUSED_PROMPTS } from '../../../test/support/moderation-corpus.ts'
import { type JudgedPrompt, judgePrompt } from './judge-prompt.ts'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
const MODERATION = /[\\/]moderat/

function ruleOf(prompt: string, more: Partial<JudgedPrompt> = {}): string {
  const verdict = judgePrompt({ prompt, mode: 'normal', hasPicture: false, spicyAllowed: false, ...more })
  return verdict.kind === 'refused' ? verdict.rule : 'allowed'
}

/** Every prompt that is written out in the tests and the documentation. */
function writtenPrompts(): string[] {
  const files = ['src', 'test', 'bench', 'docs'].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|md)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  return [...files, join(REPOSITORY, 'README.md')]
    .filter((file) => !MODERATION.test(file))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/["']?prompt["']?: ?(["'`])(.*?)\1/g)])
    .map((match) => match[2] ?? '')
}

describe('the default policy', () => {
  test('allows the words of the policy in their everyday meanings', () => {
    assert.ok(ALLOWED_PROMPTS.length >= 60)
    for (const prompt of ALLOWED_PROMPTS) {
      assert.equal(ruleOf(prompt), 'allowed', prompt)
    }
  })

  test('allows every prompt of the tests and the documentation, with a picture too', () => {
    const prompts = writtenPrompts()
    assert.ok(prompts.length >= 60)
    for (const prompt of prompts) assert.equal(ruleOf(prompt, { hasPicture: true }), 'allowed', prompt)
  })

  test('refuses what it names, by the rule that is meant', () => {
    const refused = Object.entries(REFUSED_PROMPTS).flatMap(([rule, prompts]) =>
      prompts.map((each) => [rule, each] as const),
    )
    assert.ok(refused.length >= 60)
    for (const [rule, prompt] of refused) assert.equal(ruleOf(prompt), rule, prompt)
  })

  test('in the mode spicy, allows an allowed account what is explicit, and nobody the rest', () => {
    for (const [rule, prompts] of Object.entries(REFUSED_PROMPTS)) {
      const isExplicit = rule.startsWith('explicit.')
      for (const prompt of prompts) {
        assert.equal(ruleOf(prompt, { mode: 'spicy', spicyAllowed: true }), isExplicit ? 'allowed' : rule, prompt)
        assert.equal(ruleOf(prompt, { mode: 'spicy', spicyAllowed: false }), rule, prompt)
        assert.equal(ruleOf(prompt, { mode: 'normal', spicyAllowed: true }), rule, prompt)
      }
    }
  })

  test('refuses to undress whoever is in the picture, and only then', () => {
    const spicy = { mode: 'spicy', spicyAllowed: true }
    for (const prompt of ['make her naked', 'remove her clothes', 'the woman takes off the bikini', 'elle est nue']) {
      assert.equal(ruleOf(prompt, { ...spicy, hasPicture: true }), 'people.depicted', prompt)
      assert.equal(ruleOf(prompt, spicy), 'allowed', prompt)
    }
    assert.equal(ruleOf('she takes off her coat', { hasPicture: true }), 'allowed')
    assert.equal(ruleOf('remove the clothes from the shelf', { hasPicture: true }), 'allowed')
  })
})
