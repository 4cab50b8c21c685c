import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import sharp from 'sharp'
import type { Reference } from '../../../src/canonical/reference.ts'
import type { RejectionCause } from '../../../src/providers/provider.ts'
import { canTake } from '../../../src/tasks/router.ts'
import { sampleBytes, sampleColour, startContext } from '../sample-request.ts'
import type { Fault } from '../upstream/fault.ts'
import { FIRST_KEY, ScriptedUpstream } from '../upstream/scripted-upstream.ts'
import type { RefusalKind } from '../upstream/speech.ts'
import { ProviderBench } from './provider-bench.ts'
import type { ProviderCase } from './provider-case.ts'

/** What each refusal means for the task. */
const MEANINGS: Readonly<Partial<Record<RefusalKind, RejectionCause>>> = {
  badRequest: 'request',
  moderated: 'policy',
  wrongKey: 'credentials',
  forbidden: 'credentials',
  noBalance: 'credentials',
  busy: 'busy',
}

/** A silence of this length is long enough to be sure, and short enough to wait for. */
const SILENCE_MS = 400

/** For what should come at once. */
const WAITED_MS = 10_000

/** Answers to a create that are no answer: a job may run. */
const NO_ANSWERS: Readonly<Record<string, Fault>> = {
  '409, as if the token were in use': { kind: 'status', status: 409, makesJob: true },
  '500': { kind: 'status', status: 500, body: 'oops' },
  '500, though the job runs': { kind: 'status', status: 500, makesJob: true },
  '502 with a page': { kind: 'status', status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad' },
  '503': { kind: 'status', status: 503, headers: { 'retry-after': '7' } },
  '504': { kind: 'status', status: 504, makesJob: true },
  'a redirect': { kind: 'status', status: 307, headers: { location: 'https://example.com/' } },
  'a page instead of JSON': { kind: 'html' },
  'half a JSON': { kind: 'truncated json' },
  'an empty object': { kind: 'say', json: {} },
  null: { kind: 'say', json: null },
  'a list': { kind: 'say', json: [] },
  'a word': { kind: 'say', json: 'ok' },
  'an empty 200': { kind: 'status', status: 200, makesJob: true },
  'a reset before the request was read': { kind: 'reset before reading' },
  'a reset instead of the answer': { kind: 'reset after reading' },
  silence: { kind: 'hang' },
}

export function describeStarts(adapter: ProviderCase): void {
  describe('start', () => {
    for (const [shown, request] of Object.entries(adapter.takes)) {
      it(`hands over ${shown} once, with its token, and follows it to the video`, async () => {
        await using bench = await ProviderBench.open(adapter)
        const { upstream, provider } = bench
        assert.ok(canTake(provider, request), 'routing would not send it')
        const operation = await bench.accepted('att_token', request)
        assert.equal(upstream.jobs.length, 1)
        const create = upstream.received.find(({ target }) => target === 'create')
        assert.equal(create?.headers['idempotency-key'], 'att_token')
        if (adapter.speech.wantsKey) assert.equal(create?.headers.authorization, `Bearer ${FIRST_KEY}`)
        const { references } = request
        if (references.length > 0) {
          const arrived = adapter.filesIn?.(upstream.received) ?? []
          assert.equal(arrived.length, references.length, 'not every reference arrived')
          for (const [index, reference] of references.entries())
            assert.ok(await isOf(reference, arrived[index]), `reference ${index} is another`)
        }
        assert.equal((await bench.ended(operation)).kind, 'succeeded')
        assert.equal(upstream.jobs.length, 1)
      })
    }

    for (const [shown, request] of Object.entries(adapter.refuses)) {
      it(`is not asked for ${shown}`, async () => {
        await using bench = await ProviderBench.open(adapter)
        assert.ok(!canTake(bench.provider, request))
      })
    }

    for (const [why, because] of Object.entries(MEANINGS) as [RefusalKind, RejectionCause][]) {
      if (adapter.speech.refusal(why) === undefined) continue
      it(`takes ${why} for a rejection because of ${because}, and does not ask again`, async () => {
        await using bench = await ProviderBench.open(adapter)
        bench.upstream.script('create', { kind: 'refuse', why, headers: { 'retry-after': '7' } })
        const outcome = await bench.start()
        assert.equal(outcome.kind, 'rejected', inspect(outcome))
        if (outcome.kind !== 'rejected') return
        assert.equal(outcome.because, because, inspect(outcome))
        if (because === 'busy') assert.equal(outcome.retryAfterMs, 7_000)
        assert.equal(bench.upstream.jobs.length, 0)
        assert.equal(bench.upstream.count('create'), 1)
        assertOurWords(outcome.failure.message, outcome.cause)
      })
    }

    for (const [shown, fault] of Object.entries(NO_ANSWERS)) {
      it(`is in doubt after ${shown}`, () => inDoubt(adapter, fault))
    }

    for (const status of [404, 405, 410]) {
      it(`takes a page with ${status} for the proxy's before a server that is away: nothing arrived`, async () => {
        await using bench = await ProviderBench.open(adapter)
        const body = '404 page not found'
        bench.upstream.script('create', { kind: 'status', status, headers: { 'content-type': 'text/plain' }, body })
        assert.equal((await bench.start()).kind, 'undelivered')
      })
    }

    for (const [shown, request] of Object.entries(adapter.takes)) {
      if (request.references.length === 0) continue
      it(`asks for nothing where a file of ${shown} cannot be read, which is our own fault`, async () => {
        await using bench = await ProviderBench.open(adapter)
        const openReference = async () => Readable.from([Buffer.from('too short')])
        const outcome = await bench.provider.start(request, startContext({ openReference }))
        assert.ok(outcome.kind === 'undelivered' && outcome.isOurs === true, inspect(outcome))
        assert.equal(bench.upstream.count('create'), 0)
      })
    }

    it('ends with its caller, in doubt', { timeout: WAITED_MS }, async () => {
      await using bench = await ProviderBench.open(adapter, { timeoutMs: 2 * WAITED_MS })
      bench.upstream.script('create', { kind: 'hang' })
      const stop = new AbortController()
      const started = bench.startUntil(stop.signal)
      await bench.upstream.arrived('create')
      stop.abort()
      assert.equal((await started).kind, 'ambiguous')
    })

    it('is in doubt wherever the answer breaks off', async () => {
      let at = 0
      for (;;) {
        await using bench = await ProviderBench.open(adapter)
        await bench.accepted('att_measure')
        const { headBytes = 0, bodyBytes = 0 } = bench.upstream.answered.at(-1) ?? {}
        const cuts = [0, 1, 8, 12, 15, headBytes - 3, headBytes, headBytes + 1, headBytes + bodyBytes - 1]
        const atByte = cuts[at]
        if (atByte === undefined) return
        bench.upstream.script('create', { kind: 'cut answer', atByte })
        const outcome = await bench.start('att_cut')
        assert.equal(outcome.kind, 'ambiguous', `cut at byte ${atByte}: ${inspect(outcome)}`)
        assert.equal(bench.upstream.jobs.length, 2)
        at += 1
      }
    })

    it('is sure that nothing was delivered where nobody listens', async () => {
      await using bench = await ProviderBench.open(adapter)
      const closed = await ScriptedUpstream.start(adapter.speech)
      const { baseUrl } = closed
      await closed[Symbol.asyncDispose]()
      await using provider = adapter.create(bench.settings({ baseUrl }))
      assert.equal((await bench.start('att_one', bench.request, provider)).kind, 'undelivered')
    })

    it('makes as many jobs of a repeated token as it says', async () => {
      await using bench = await ProviderBench.open(adapter)
      bench.upstream.script('create', { kind: 'reset after reading' })
      assert.equal((await bench.start('att_one')).kind, 'ambiguous')
      const operation = await bench.accepted('att_one')
      assert.equal(bench.upstream.jobs.length, bench.provider.startIsIdempotent ? 1 : 2)
      assert.equal((await bench.ended(operation)).kind, 'succeeded')
    })

    it('makes another job of another token', async () => {
      await using bench = await ProviderBench.open(adapter)
      assert.notDeepEqual(await bench.accepted('att_one'), await bench.accepted('att_two'))
      assert.equal(bench.upstream.jobs.length, 2)
    })

    if (adapter.speech.wantsKey) {
      it('repeats no key that the upstream repeats', async () => {
        await using bench = await ProviderBench.open(adapter)
        const body = `{"error":"Incorrect API key provided: ${FIRST_KEY}"}`
        bench.upstream.script('create', { kind: 'status', status: 401, body }, { kind: 'status', status: 500, body })
        assert.equal((await bench.start()).kind, 'rejected')
        assert.equal((await bench.start()).kind, 'ambiguous')
      })
    }
  })
}

async function inDoubt(adapter: ProviderCase, fault: Fault): Promise<void> {
  await using bench = await ProviderBench.open(adapter, fault.kind === 'hang' ? { timeoutMs: SILENCE_MS } : {})
  bench.upstream.script('create', fault)
  const outcome = await bench.start()
  assert.equal(outcome.kind, 'ambiguous', inspect(outcome))
  const asked = fault.kind === 'reset before reading' ? 0 : 1
  assert.equal(bench.upstream.count('create'), asked, 'it was asked again')
}

/** Whether bytes are those of a sample, or show its picture. */
async function isOf({ kind, fileId, sizeBytes }: Reference, arrived: Buffer | undefined): Promise<boolean> {
  if (arrived === undefined) return false
  if (kind !== 'image') return arrived.equals(sampleBytes(fileId, sizeBytes))
  const { channels } = await sharp(arrived).stats()
  return sampleColour(fileId).every((colour, index) => Math.abs((channels[index]?.mean ?? -99) - colour) < 3)
}

/** A customer reads nothing that the upstream wrote; the operator does. */
export function assertOurWords(message: string, cause: string | undefined): void {
  assert.ok(cause !== undefined && cause !== '', 'the operator is told nothing')
  assert.ok(!message.includes('upstream-words'), message)
  assert.ok(cause.includes('upstream-words'), `the operator is not told what the upstream said: ${cause}`)
}
