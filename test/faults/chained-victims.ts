import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { FAULT_POINTS, type FaultPoint } from '../../src/observe/fault-point.ts'
import { CHAINED_KINDS, type ChainedKind, startChain } from '../support/chain.ts'
import { assertKilled, ChainWatch, NO_FAULT } from './chained-end.ts'

type Stop = FaultPoint | 'start once more'

/**
 * Points in an order in which the process that goes on after the one can be armed with the next already: what it takes up
 * again does not pass there. Where there is no such point it is started once more.
 */
const EVERY_POINT: readonly Stop[] = [
  'settle.discarded',
  'start.recorded',
  'start once more',
  'settle.committed',
  'collect.stored',
  'collect.marked',
  'start.saved',
  'start.accepted',
  'admit.committed',
  'start once more',
  'submit.committed',
  'start once more',
  'submit.before',
  'start once more',
  'poll.succeeded',
]

/** These are passed by whoever fetches a video over a bad line, or named a callback, and have tests of their own. */
const ELSEWHERE: readonly FaultPoint[] = ['collect.resuming', 'deliver.sent']

/** Kills one side of a chain at each point of the life of its own task, and looks what becomes of the customer's. */
export function describeVictims(side: 'gateway' | 'upstream', kind: ChainedKind): void {
  assert.ok(CHAINED_KINDS.includes(kind))
  assert.deepEqual(
    new Set([...EVERY_POINT, ...ELSEWHERE]),
    new Set([...FAULT_POINTS, 'start once more']),
    'no point is forgotten',
  )

  describe(`a chain by ${kind} whose ${side} is killed`, () => {
    let watch: ChainWatch
    before(async () => {
      watch = new ChainWatch(await startChain({ kind, provider: { honoursIdempotencyKey: true } }), kind)
      await restart(EVERY_POINT[0])
    })
    after(() => watch.chain[Symbol.asyncDispose]())

    const restart = async (next: Stop | undefined): Promise<void> => {
      const server = watch.chain[side]
      await server.kill()
      await server.start(next === undefined || next === 'start once more' ? NO_FAULT : { REELAY_FAULT: next })
    }

    for (const [index, point] of EVERY_POINT.entries()) {
      if (point === 'start once more') continue
      const next = EVERY_POINT[index + 1]
      it(`at ${point} has one video made and paid for`, async () => {
        const asked = { prompt: 'A quiet sea at dawn', idempotencyKey: `at-${point}` }
        const answered = await watch.create(asked)
        await assertKilled(watch.chain[side])
        await restart(next)
        const id = await watch.create(asked)
        assert.ok(id !== undefined)
        if (answered !== undefined) assert.equal(id, answered)
        await watch.assertPaidOnce(id)
        if (next === 'start once more') await restart(EVERY_POINT[index + 2])
      })
    }

    it('has taken from its customers what it has spent', async () => {
      await watch.assertSpentTheSame(EVERY_POINT.filter((point) => point !== 'start once more').length)
    })
  })
}
