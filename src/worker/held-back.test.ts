/** Starts that are due, and not only those that are admitted, keep to what a provider can bear and what it allows. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { ScriptedProvider, type StartStep } from '../../test/support/scripted-provider.ts'
import type { WalletId } from '../ledger/queries.ts'

const UNDELIVERED: StartStep = { kind: 'undelivered', cause: 'ECONNREFUSED' }
const BUSY: StartStep = {
  kind: 'rejected',
  because: 'busy',
  failure: { reason: 'provider_unavailable', message: 'It is busy.' },
}

describe('a start that is due', () => {
  let shop: Workshop
  let wallet: WalletId

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
  })
  after(() => shop[Symbol.asyncDispose]())

  /** Has the tasks of a provider claimed again and again, without their pauses; answers how often one of them was, at least. */
  async function claimedAgain(provider: string, times: number): Promise<void> {
    await until(`each task was claimed ${times} times`, async () => {
      await shop.pool.query(
        `update tasks set due_at = now() where provider = $1 and state = 'submitting' and due_at is distinct from lease_until`,
        [provider],
      )
      const { rows } = await shop.pool.query<{ least: number }>(
        `select min(fence)::integer as least from tasks where provider = $1 and state = 'submitting'`,
        [provider],
      )
      return (rows[0]?.least ?? 0) >= times
    })
  }

  it('waits for a provider that is ill: of many claims few call it', async () => {
    const provider = new ScriptedProvider({ id: 'ill', script: { start: [UNDELIVERED] } })
    for (let n = 0; n < 6; n += 1) await shop.create(wallet, `ill ${n}`, { provider: provider.id })
    await shop.worker(provider)
    await claimedAgain(provider.id, 10)
    assert.ok(provider.starts.length <= 12, `${provider.starts.length} calls`)
  })

  it('keeps to the requests a minute that its provider allows', async () => {
    const provider = Object.assign(new ScriptedProvider({ id: 'counted', script: { start: [BUSY] } }), {
      requestsPerMinute: 4,
    })
    for (let n = 0; n < 3; n += 1) await shop.create(wallet, `counted ${n}`, { provider: provider.id })
    await shop.worker(provider)
    await claimedAgain(provider.id, 10)
    assert.ok(provider.starts.length <= 8, `${provider.starts.length} calls`)
  })

  it('goes to another provider while its own is ill and that one is well', async () => {
    const ill = new ScriptedProvider({ id: 'ill first', script: { start: [UNDELIVERED] } })
    const well = new ScriptedProvider({ id: 'well second', videoPath: shop.videoPath, script: { poll: ['video'] } })
    await shop.worker({
      providers: [ill, well],
      routes: new Map([
        ['*', { providers: [ill, well].map((provider) => ({ provider, weight: 1 })), strategy: 'ordered' }],
      ]),
      free: [],
    })
    const id = await shop.create(wallet, 'passed on', { provider: ill.id })
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })
})
