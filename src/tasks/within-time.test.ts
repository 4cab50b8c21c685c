import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { withinTime } from './within-time.ts'

const endless = (signal: AbortSignal) => delay(60_000, undefined, { signal })

test('work is cut off when its time is over', async () => {
  const { signal } = new AbortController()
  await assert.rejects(withinTime({ timeoutMs: 5, signal }, endless), { name: 'AbortError' })
})

test('and when whoever wants it stops, even before it has begun', async () => {
  const stop = new AbortController()
  const cut = withinTime({ timeoutMs: 60_000, signal: stop.signal }, endless)
  stop.abort()
  await assert.rejects(cut, { name: 'AbortError' })
  await assert.rejects(withinTime({ timeoutMs: 60_000, signal: stop.signal }, endless), { name: 'AbortError' })
})

test('nothing is left at a signal that lives on', async () => {
  const { signal } = new AbortController()
  for (let n = 0; n < 20; n += 1) assert.equal(await withinTime({ timeoutMs: 60_000, signal }, async () => n), n)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
