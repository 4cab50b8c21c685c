import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CredentialMissing } from '../../../src/providers/upstream/upstream.ts'
import { START_TIMEOUT_MS } from '../../../src/tasks/start.ts'
import type { Fault, FaultTarget } from '../upstream/fault.ts'
import { FIRST_KEY, SECOND_KEY } from '../upstream/scripted-upstream.ts'
import { downloaded, neverAborted, ProviderBench, tellsNoKey } from './provider-bench.ts'
import type { ProviderCase } from './provider-case.ts'

/** For what should come at once. */
const WAITED_MS = 10_000

/** For what never comes. */
const SILENCE_MS = 50

/** Whatever a check may ask: for lists and pages, for a job. */
const CHECKED: readonly FaultTarget[] = ['other', 'poll']

/** What a wrong base URL leads to. */
const STRANGERS: Readonly<Record<string, Fault>> = {
  'a web page': {
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html>\n<title>Welcome to nginx!</title>',
  },
  'a redirect': { kind: 'status', status: 301, headers: { location: 'https://example.com/v1/' } },
  'a server that knows no such page': {
    kind: 'status',
    status: 404,
    headers: { 'content-type': 'text/plain' },
    body: '404 page not found\n',
  },
}

export function describeOperator(adapter: ProviderCase): void {
  describe('for its operator', () => {
    if (adapter.speech.wantsKey) {
      it('follows a job with the key that started it, while another starts the new ones', async () => {
        await using bench = await ProviderBench.open(adapter)
        const old = await bench.accepted('att_old')
        await using rotated = adapter.create(bench.settings({ apiKeys: [SECOND_KEY, FIRST_KEY] }))
        const { bytes } = await downloaded(await bench.asset(old, rotated))
        assert.ok(bytes.equals(bench.upstream.video))
        assert.equal((await bench.start('att_new', bench.request, rotated)).kind, 'accepted')
        assert.deepEqual(
          bench.upstream.jobs.map(({ apiKey }) => apiKey),
          [FIRST_KEY, SECOND_KEY],
        )
      })

      it('starts with the key of the attempt, whichever key new ones get', async () => {
        await using bench = await ProviderBench.open(adapter, { apiKeys: [SECOND_KEY, FIRST_KEY] })
        await using former = adapter.create(bench.settings())
        const about = former.credential === undefined ? {} : { credential: former.credential }
        assert.equal((await bench.startUntil(neverAborted(), about)).kind, 'accepted')
        assert.deepEqual(
          bench.upstream.jobs.map(({ apiKey }) => apiKey),
          [FIRST_KEY],
        )
        await using rotated = adapter.create(bench.settings({ apiKeys: [SECOND_KEY] }))
        for (const request of Object.values(adapter.takes)) {
          const start = bench.startUntil(neverAborted(), { ...about, request, provider: rotated })
          await assert.rejects(start, CredentialMissing)
        }
        assert.equal(bench.upstream.jobs.length, 1)
      })

      it('says that the key is missing, and does not ask with another', async () => {
        await using bench = await ProviderBench.open(adapter)
        const old = await bench.accepted()
        await using rotated = adapter.create(bench.settings({ apiKeys: [SECOND_KEY] }))
        assert.ok((await bench.pollError(old, rotated)) instanceof CredentialMissing)
        assert.equal(bench.upstream.count('poll'), 0)
      })
    }

    it('is named and limited as configured', async () => {
      await using bench = await ProviderBench.open(adapter, {
        name: 'mine',
        concurrency: 3,
        requestsPerMinute: 17,
        pollEveryMs: 1_234,
      })
      const { id, concurrency, requestsPerMinute, pollEveryMs } = bench.provider
      assert.deepEqual(
        { id, concurrency, requestsPerMinute, pollEveryMs },
        { id: 'mine', concurrency: 3, requestsPerMinute: 17, pollEveryMs: 1_234 },
      )
    })

    it('gives a silent start up before the task machine does', { timeout: WAITED_MS }, async (test) => {
      await using bench = await ProviderBench.open(adapter, { timeoutMs: undefined })
      bench.upstream.script('create', { kind: 'hang' })
      test.mock.timers.enable({ apis: ['setTimeout'] })
      const started = bench.start()
      await bench.upstream.arrived('create')
      // Second by second: its time is counted in ticks, which are set one after the other.
      for (let passedMs = 1_000; passedMs < START_TIMEOUT_MS; passedMs += 1_000) test.mock.timers.tick(1_000)
      assert.equal((await started).kind, 'ambiguous')
    })

    it('checks the upstream without making anything', async (test) => {
      await using bench = await ProviderBench.open(adapter)
      const { provider, upstream } = bench
      if (provider.check === undefined) return test.skip('it cannot be checked')
      await provider.check({ signal: neverAborted() })
      assert.equal(upstream.jobs.length, 0)
      if (adapter.speech.wantsKey) {
        upstream.apiKeys = [SECOND_KEY]
        await assert.rejects(async () => provider.check?.({ signal: neverAborted() }), tellsNothing)
      }
      const settings = bench.settings()
      await upstream[Symbol.asyncDispose]()
      await using alone = adapter.create(settings)
      await assert.rejects(async () => alone.check?.({ signal: neverAborted() }), tellsNothing)
    })

    for (const [what, fault] of Object.entries(STRANGERS)) {
      it(`takes ${what} for no upstream of its kind`, async (test) => {
        await using bench = await ProviderBench.open(adapter)
        const { provider, upstream } = bench
        if (provider.check === undefined) return test.skip('it cannot be checked')
        for (const target of CHECKED) upstream.script(target, fault, fault)
        await assert.rejects(async () => provider.check?.({ signal: neverAborted() }), tellsNothing)
      })
    }

    it('gives the check of a silent upstream up, and says after how long', async (test) => {
      await using bench = await ProviderBench.open(adapter, { timeoutMs: SILENCE_MS })
      const { provider, upstream } = bench
      if (provider.check === undefined) return test.skip('it cannot be checked')
      for (const target of CHECKED) upstream.script(target, { kind: 'hang' })
      await assert.rejects(async () => provider.check?.({ signal: neverAborted() }), /no whole answer within 50 ms/)
    })

    it('cancels once, and again, and what is over or unknown', async (test) => {
      await using bench = await ProviderBench.open(adapter)
      const { provider, upstream } = bench
      if (provider.cancel === undefined) return test.skip('it cannot be canceled')
      const operation = await bench.accepted()
      for (let time = 0; time < 2; time += 1) await provider.cancel(operation, { signal: neverAborted() })
      assert.equal(upstream.jobs[0]?.state, 'canceled')
      upstream.forgetJobs()
      await provider.cancel(operation, { signal: neverAborted() })
    })
  })
}

function tellsNothing(error: Error): boolean {
  tellsNoKey(error)
  return true
}
