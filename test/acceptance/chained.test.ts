/**
 * Reelay as a provider of Reelay, in each of its five dialects: two real servers, the one calling the other. Whoever
 * asks the one in a dialect is told what the other tells in it: status, progress, result, error and credits.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { uuidOf } from '../../src/canonical/ids.ts'
import { assertAtRest } from '../faults/sigkill.ts'
import { CHAINED_KINDS, type Chain, type ChainedKind, startChain } from '../support/chain.ts'
import { waitFor } from '../support/patience.ts'
import type { TestServer } from '../support/server.ts'
import { CUSTOMERS, taskIdOf, withoutNames } from './chained-customers.ts'
import { type Bytes, colourOf, picture } from './reference-files.ts'
import { assertNoFaultLogged } from './rivya.ts'
import { readVideoFile } from './video-file.ts'

/** What a wire does not tell, its gateway cannot know: Rivya has one code for everything, and two cannot say "too late". */
const TOLD_AS: Readonly<Partial<Record<ChainedKind, Readonly<Record<string, string>>>>> = {
  rivya: { moderated: 'generation_failed', expired: 'generation_failed' },
  grokimagineapi: { expired: 'generation_failed' },
  acedata: { expired: 'generation_failed' },
}

interface TaskRow {
  readonly state: string
  readonly reason: string | null
  readonly credits: number
  readonly progress: number
  readonly seconds: number
  readonly video_bytes: number | null
  readonly video_sha256: string | null
}

async function rowOf(server: TestServer, id: string): Promise<TaskRow> {
  const { rows } = await server.withDatabase((pool) =>
    pool.query<TaskRow>(
      `select t.state, t.failure_reason as reason, t.final_credits::integer as credits, t.progress,
         (t.request ->> 'durationSeconds')::integer as seconds,
         m.size_bytes::integer as video_bytes, encode(m.sha256, 'hex') as video_sha256
       from tasks t left join media m on m.task_id = t.id and m.kind = 'video' where t.id = $1`,
      [uuidOf(taskIdOf(id) as Parameters<typeof uuidOf>[0])],
    ),
  )
  assert.ok(rows[0], `${id} is not there`)
  return rows[0]
}

const shown = z.object({
  attempts: z.tuple([
    z.object({ provider: z.literal('main'), state: z.string(), operation: z.object({ id: z.string() }) }),
  ]),
})

/** What the operator of the gateway is shown: the one job that was made for a task. */
async function jobOf(gateway: TestServer, id: string): Promise<string> {
  const { code, stdout, stderr } = await gateway.command('tasks', 'show', taskIdOf(id), '--json')
  assert.equal(code, 0, stderr)
  return shown.parse(JSON.parse(stdout)).attempts[0].operation.id
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

for (const kind of CHAINED_KINDS) {
  const customer = CUSTOMERS[kind]

  describe(`a gateway whose provider speaks ${kind}`, () => {
    let chain: Chain
    let gateway: TestServer
    let upstream: TestServer
    before(async () => {
      chain = await startChain({ kind })
      ;({ gateway, upstream } = chain)
    })
    after(() => chain[Symbol.asyncDispose]())

    /** The end of a task on both sides, and what either tells its customer. */
    async function ended(id: string) {
      const row = await waitFor(`${id} to end`, async () => {
        const now = await rowOf(gateway, id)
        return ['succeeded', 'failed', 'expired', 'canceled'].includes(now.state) ? now : undefined
      })
      const job = await jobOf(gateway, id)
      const told = await customer.read(gateway, id)
      const toldThere = await customer.read(upstream, job)
      return { row, job, there: await rowOf(upstream, job), told, toldThere }
    }

    async function assertSameVideo(id: string, { row, job, there }: Awaited<ReturnType<typeof ended>>): Promise<Bytes> {
      const bytes = await customer.videoOf(gateway, id)
      assert.deepEqual([bytes.length, sha256(bytes)], [row.video_bytes, row.video_sha256])
      const made = await customer.videoOf(upstream, job)
      assert.deepEqual([made.length, sha256(made)], [there.video_bytes, there.video_sha256])
      // Only the gateway's own mark, which says by whom it had the video made, comes after it.
      assert.equal(sha256(bytes.subarray(0, made.length)), sha256(made))
      assert.ok(bytes.length - made.length < 2_000)
      return bytes
    }

    test('delivers the very video that the upstream made, with its progress, for its price', async () => {
      const id = await customer.create(gateway, { prompt: 'A quiet sea at dawn sandbox:slow=1' })
      const seen = new Set<number>()
      await waitFor(`${id} to end`, async () => {
        const { state, progress } = await rowOf(gateway, id)
        assert.ok(progress >= Math.max(0, ...seen), 'progress never goes back')
        seen.add(progress)
        return state === 'succeeded' || state === 'failed' ? true : undefined
      })
      assert.ok([...seen].filter((progress) => progress > 0 && progress < 99).length >= 2, `saw ${[...seen].join()}`)
      const end = await ended(id)
      const { row, there, told, toldThere } = end
      assert.equal(row.state, 'succeeded', told.text)
      assert.deepEqual([row.credits, row.seconds], [there.credits, customer.seconds])
      assert.ok(row.credits > 0)
      assert.deepEqual(withoutNames(told.body), withoutNames(toldThere.body))
      assert.equal(told.status, toldThere.status)
      assert.equal(told.headers.get('x-reelay-provider'), 'main')
      const file = await readVideoFile(await assertSameVideo(id, end))
      assert.deepEqual([file.width, file.height, file.frames], [480, 720, customer.seconds * 24])
    })

    test('ends as the upstream ends, and costs nobody anything', async () => {
      const ends = { fail: 'generation_failed', moderated: 'moderated', expire: 'expired' }
      await Promise.all(
        Object.entries(ends).map(async ([token, end]) => {
          const id = await customer.create(gateway, { prompt: `A quiet sea sandbox:${token}` })
          const { row, there, told, toldThere } = await ended(id)
          assert.equal(there.reason ?? there.state, end)
          const known = TOLD_AS[kind]?.[end] ?? end
          assert.equal(row.reason ?? row.state, known, token)
          assert.deepEqual([row.credits, there.credits], [0, 0])
          assert.equal(told.status, toldThere.status)
          // How far it was seen to come is a matter of when it was looked at.
          const atEnd = (body: unknown) => ({ ...z.looseObject({}).parse(withoutNames(body)), progress: undefined })
          if (known === end || kind === 'rivya') assert.deepEqual(atEnd(told.body), atEnd(toldThere.body))
        }),
      )
    })

    test('brings a picture along', { skip: !customer.takesPicture }, async () => {
      const id = await customer.create(gateway, { prompt: 'A slow zoom', picture: await picture('green') })
      const end = await ended(id)
      assert.equal(end.row.state, 'succeeded', end.told.text)
      assert.equal(end.row.credits, end.there.credits)
      await assertSameVideo(id, end)
      assert.equal(await colourOf(upstream, end.job.replace(/^task_/, 'video_')), 'green')
    })

    test('has spent what the upstream has earned, and holds nothing', async () => {
      await assertAtRest(gateway)
      await assertAtRest(upstream)
      const spent = (server: TestServer) =>
        server.withDatabase(async (pool) => (await pool.query('select sum(spent)::integer as n from wallets')).rows[0])
      assert.deepEqual(await spent(gateway), await spent(upstream))
      assertNoFaultLogged(gateway)
      assertNoFaultLogged(upstream)
      assert.ok(!gateway.log().includes(upstream.key))
    })
  })
}
