import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebhookBudget } from './webhook-budget.ts'

test('a provider has 200 calls in a second, whatever the others do', () => {
  let now = 5_000
  const budget = new WebhookBudget(() => now)
  const taken = (provider: string, calls: number) =>
    Array.from({ length: calls }, () => budget.take(provider)).filter(Boolean).length
  assert.equal(taken('one', 500), 200)
  assert.equal(taken('another', 150), 150)
  now += 999
  assert.equal(taken('one', 1), 0)
  assert.equal(taken('another', 100), 50)
  now += 1
  assert.equal(taken('one', 500), 200)
})
