/**
 * What an operator can say of a task that was handed over when one side of a chain was killed, by a wire that knows no
 * repeated creates; and a gateway that is killed while it takes up a download that broke.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { picture } from '../acceptance/reference-files.ts'
import { BASE_URLS, startChain } from '../support/chain.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { arm, ChainWatch, NO_FAULT, revive } from './chained-end.ts'
import { traceOf } from './sigkill.ts'

describe('a chain by xai, as its vendor documents it', () => {
  let watch: ChainWatch
  before(async () => {
    watch = new ChainWatch(await startChain({ kind: 'xai' }), 'xai')
  })
  after(() => watch.chain[Symbol.asyncDispose]())

  for (const [side, point] of [
    ['gateway', 'start.recorded'],
    ['upstream', 'submit.before'],
  ] as const) {
    it(`whose ${side} is killed at ${point} hands the job over again when an operator says so, and pays once`, async () => {
      await arm(watch.chain[side], point)
      const id = await watch.created()
      await revive(watch.chain[side], NO_FAULT)
      await watch.assertUncertain(id)
      assert.deepEqual(await watch.newJobs(), [])
      await watch.resolve(id, '--undelivered')
      const attempts = ['undelivered', 'succeeded']
      await watch.assertPaidOnce(id, { state: 'succeeded', attempts, transfers: ['reserve', 'capture'] })
    })
  }

  it('whose operator gives a task up returns its credits, though the upstream has been paid', async () => {
    const { gateway } = watch.chain
    await arm(gateway, 'start.accepted')
    const id = await watch.created()
    await revive(gateway, NO_FAULT)
    await watch.assertUncertain(id)
    await watch.resolve(id, '--failed')
    const { state, transfers } = await traceOf(gateway, id)
    assert.deepEqual({ state, transfers }, { state: 'failed', transfers: ['reserve', 'release'] })
    assert.equal((await watch.newJobs()).length, 1)
  })
})

describe('a chain by rivya', () => {
  it('whose gateway is killed before it saves a job with a picture asks again with the same link, and pays once', async () => {
    await using chain = await startChain({ kind: 'rivya' })
    const watch = new ChainWatch(chain, 'rivya')
    await arm(chain.gateway, 'start.accepted')
    const id = await watch.create({ prompt: 'A slow zoom', picture: await picture('green') })
    assert.ok(id !== undefined)
    await revive(chain.gateway, NO_FAULT)
    await watch.assertPaidOnce(id)
  })
})

describe('a chain over a line that breaks', () => {
  it('whose gateway is killed as it takes the download up again pays once', async () => {
    const kind = 'openai-videos'
    await using line = await startCuttingProxy()
    const chain = await startChain({ kind, provider: { baseUrl: BASE_URLS[kind](line.url) } })
    await using _ = chain
    line.connect(chain.upstream.url)
    const watch = new ChainWatch(chain, kind)
    await arm(chain.gateway, 'collect.resuming')
    line.cutOnce({ afterBytes: 20_000 })
    const id = await watch.created()
    await revive(chain.gateway, NO_FAULT)
    assert.equal(line.cuts, 1)
    await watch.assertPaidOnce(id)
  })
})
