/**
 * SIGKILL of either side of a chain while a job is handed over and while its video is fetched, by the other wires, each as
 * its vendor documents it. Where a create may be repeated it is; else the task is uncertain: it is asked for no second
 * time, its credits stay on hold, and an operator says what became of it.
 */
import { after, before, describe, it } from 'node:test'
import { type ChainedKind, startChain } from '../support/chain.ts'
import { arm, ChainWatch, NO_FAULT, revive } from './chained-end.ts'

for (const kind of ['rivya', 'grokimagineapi', 'acedata'] as const satisfies readonly ChainedKind[]) {
  const isIdempotent = kind === 'rivya'

  describe(`a chain by ${kind}`, () => {
    let watch: ChainWatch
    before(async () => {
      watch = new ChainWatch(await startChain({ kind }), kind)
    })
    after(() => watch.chain[Symbol.asyncDispose]())

    it('whose gateway is killed before it saves the job, and as it fetches the video, pays once', async () => {
      const { gateway } = watch.chain
      await arm(gateway, 'start.accepted')
      const id = await watch.created()
      await revive(gateway, { REELAY_FAULT: 'collect.marked' })
      if (!isIdempotent) await watch.resolveByHand(id)
      await revive(gateway, NO_FAULT)
      await watch.assertPaidOnce(id)
    })

    it('whose upstream is killed before it answers, and as it stores the video, pays once', async () => {
      const { upstream } = watch.chain
      await arm(upstream, 'submit.committed')
      const id = await watch.created()
      await revive(upstream, { REELAY_FAULT: 'collect.stored' })
      if (!isIdempotent) await watch.resolveByHand(id)
      await revive(upstream, NO_FAULT)
      await watch.assertPaidOnce(id)
      await watch.assertSpentTheSame(2)
    })
  })
}
