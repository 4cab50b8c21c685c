/** Slots of a provider: an account with a long queue beside one with a single task. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorkshop, until } from '../faults/workshop.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const QUEUED = 20
const SLOTS = 2

describe('an account with a long queue', () => {
  test('is at most the free slots ahead of an account that comes after all of it', async () => {
    await using shop = await openWorkshop()
    const provider = new ScriptedProvider({
      videoPath: shop.videoPath,
      concurrency: SLOTS,
      script: { poll: [{ kind: 'failed', failure: { reason: 'generation_failed', message: 'no' } }] },
    })
    const [greedy, other] = [await shop.account(), await shop.account()]
    for (let queued = 0; queued < QUEUED; queued++) await shop.create(greedy, `greedy ${queued}`)
    const last = await shop.create(other, 'other')
    await shop.worker(provider)
    await shop.ended(other, last)
    await until('the whole queue was started', () => provider.starts.length === QUEUED + 1)
    const place = provider.starts.findIndex(({ prompt }) => prompt === 'other')
    assert.ok(place <= SLOTS, `${place} of ${QUEUED} were started before it`)
  })
})
