import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { Json } from '../../../src/canonical/json.ts'
import { BlamelessError } from '../../../src/providers/provider.ts'
import type { Fault } from '../upstream/fault.ts'
import { assertOurWords } from './describe-starts.ts'
import { ProviderBench } from './provider-bench.ts'
import type { ProviderCase } from './provider-case.ts'

const SILENCE_MS = 400

/** What a vendor may write where progress belongs, and what it may be read as at most. */
const ODD_PROGRESS: readonly Json[] = [12.7, '50%', 150, -3, null, 'nearly', [], 1e308]

/** Answers that say nothing of the job: it goes on. */
const NO_ANSWERS: Readonly<Record<string, Fault>> = {
  '401': { kind: 'status', status: 401 },
  '403': { kind: 'status', status: 403 },
  '429 that asks for no time': { kind: 'status', status: 429 },
  '500': { kind: 'status', status: 500, body: 'oops' },
  "a proxy's 404": { kind: 'status', status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>' },
  '410 without a body': { kind: 'status', status: 410, body: '' },
  '503 with a page': { kind: 'status', status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>' },
  'a page instead of JSON': { kind: 'html' },
  'half a JSON': { kind: 'truncated json' },
  'an empty object': { kind: 'say', json: {} },
  null: { kind: 'say', json: null },
  'a list of numbers': { kind: 'say', json: [1] },
  'a reset': { kind: 'reset after reading' },
  silence: { kind: 'hang' },
}

export function describePolls(adapter: ProviderCase): void {
  describe('poll', () => {
    it('tells of a job that is queued, and of one that runs', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      for (const state of ['queued', 'running'] as const) {
        bench.upstream.setJob({ state, progress: 42 })
        const outcome = await bench.poll(operation)
        const pending = state === 'running' && adapter.tellsProgress ? { progress: 42 } : undefined
        assert.equal(outcome.kind, 'pending', inspect(outcome))
        assert.ok(!('unknownStatus' in outcome), inspect(outcome))
        if (pending !== undefined) assert.deepEqual(outcome, { kind: 'pending', ...pending })
      }
    })

    it('goes on with a status word that it does not know, and says which', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      bench.upstream.setJob({ state: 'running', statusWord: 'dreaming' })
      const outcome = await bench.poll(operation)
      assert.equal(outcome.kind, 'pending')
      assert.equal(outcome.kind === 'pending' && outcome.unknownStatus, 'dreaming')
    })

    it('takes odd progress for what it is, or for nothing', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      for (const progress of ODD_PROGRESS) {
        bench.upstream.setJob({ state: 'running', progress })
        const outcome = await bench.poll(operation)
        assert.equal(outcome.kind, 'pending', inspect(progress))
        const read = outcome.kind === 'pending' ? outcome.progress : undefined
        assert.ok(read === undefined || (read >= 0 && read <= 100), `${inspect(progress)} is read as ${read}`)
        if (progress === '50%' && adapter.tellsProgress) assert.equal(read, 50)
      }
    })

    it('tells that a job is gone', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      bench.upstream.forgetJobs()
      assert.deepEqual(await bench.poll(operation), { kind: 'gone' })
    })

    it('waits as long as a 429 asks for', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      bench.upstream.script('poll', { kind: 'status', status: 429, headers: { 'retry-after': '7' } })
      assert.deepEqual(await bench.poll(operation), { kind: 'busy', pollAfterMs: 7_000 })
    })

    for (const [shown, fault] of Object.entries(NO_ANSWERS)) {
      if (shown === 'an empty object' && adapter.emptyObjectTells === true) continue
      it(`throws after ${shown}, and finds the job again`, async () => {
        await using bench = await ProviderBench.open(adapter, fault.kind === 'hang' ? { timeoutMs: SILENCE_MS } : {})
        const operation = await bench.accepted()
        bench.upstream.script('poll', fault)
        const error = await bench.pollError(operation)
        assert.equal(error instanceof BlamelessError, 'status' in fault && fault.status === 429)
        assert.equal((await bench.ended(operation)).kind, 'succeeded')
        assert.equal(bench.upstream.jobs.length, 1)
      })
    }

    it('tells a failure in our words, with those of the upstream for the operator', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      bench.upstream.setJob({ state: 'failed', error: { code: 'internal_error', message: 'upstream-words' } })
      const outcome = await bench.poll(operation)
      assert.equal(outcome.kind, 'failed', inspect(outcome))
      if (outcome.kind !== 'failed') return
      assert.equal(outcome.failure.reason, 'generation_failed')
      assertOurWords(outcome.failure.message, outcome.cause)
    })

    if (adapter.tellsModeration) {
      it('tells what the content policy withheld', async () => {
        await using bench = await ProviderBench.open(adapter)
        const operation = await bench.accepted()
        bench.upstream.setJob({ state: 'moderated' })
        const outcome = await bench.poll(operation)
        assert.equal(outcome.kind === 'failed' && outcome.failure.reason, 'moderated', inspect(outcome))
      })
    }

    if (adapter.results === 'link') {
      it('takes a success without a link for one whose video is still to be asked for', async () => {
        await using bench = await ProviderBench.open(adapter)
        const operation = await bench.accepted()
        bench.upstream.setJob({ state: 'empty' })
        assert.deepEqual(await bench.poll(operation), { kind: 'succeeded', assets: [] })
      })
    }

    for (const coding of ['gzip', 'deflate', 'br'] as const) {
      it(`reads answers that come as ${coding}, which was not asked for`, async () => {
        await using bench = await ProviderBench.open(adapter)
        const coded = { kind: 'coded', coding } as const
        bench.upstream.script('create', coded)
        bench.upstream.script('poll', coded, coded, coded)
        const operation = await bench.accepted()
        assert.equal((await bench.ended(operation)).kind, 'succeeded')
        assert.equal(bench.upstream.jobs.length, 1)
      })
    }

    it('is told the same by a clock that is wrong', async () => {
      for (const clockOffsetMs of [-600_000, 600_000]) {
        await using bench = await ProviderBench.open(adapter)
        bench.upstream.clockOffsetMs = clockOffsetMs
        assert.equal((await bench.ended(await bench.accepted())).kind, 'succeeded')
      }
    })

    it('throws for an operation that is not its own', async () => {
      await using bench = await ProviderBench.open(adapter)
      await bench.pollError({ other: 'thing' })
      assert.equal(bench.upstream.count('poll'), 0)
    })
  })
}
