import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { runChores } from './chores.ts'

const AN_HOUR_MS = 3_600_000
const log = pino({ level: 'silent' })

test('a chore that left something undone goes on at once, and stops when it is told to', async () => {
  const stop = new AbortController()
  const answers = ['more', 'more', 'done'] as const
  let runs = 0
  const run = async () => {
    const answer = answers[runs++] ?? 'done'
    if (answer === 'done') stop.abort()
    return answer
  }
  await runChores([{ name: 'sweep', everyMs: AN_HOUR_MS, run }], { log, signal: stop.signal })
  assert.equal(runs, 3)
})

test('a chore that fails is run again at its next time, and holds up no other', async () => {
  const stop = new AbortController()
  let [failed, other] = [0, 0]
  const chores = [
    {
      name: 'fails',
      everyMs: 1,
      run: async () => {
        if (++failed === 3) stop.abort()
        throw new Error('as it happens')
      },
    },
    {
      name: 'other',
      everyMs: AN_HOUR_MS,
      run: async () => {
        other += 1
        return 'done' as const
      },
    },
  ]
  await runChores(chores, { log, signal: stop.signal })
  assert.deepEqual([failed, other], [3, 1])
})
