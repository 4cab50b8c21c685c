/** Pictures and videos that are brought to the OpenAI Videos dialect: every form, every documented limit. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import { type Ask, startServer, type TestAccount, type TestServer } from '../support/server.ts'
import {
  assertRefused,
  create,
  type ExpectedRefusal,
  remove,
  SLOW,
  VIDEOS,
  type Video,
  videoOf,
  waitForEnd,
} from './openai.ts'
import { type Bytes, clip, colourOf, dataUri, formOf, picture, serving, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'
import { readVideoFile } from './video-file.ts'

const EDITS = `${VIDEOS}/edits`
const EXTENSIONS = `${VIDEOS}/extensions`
const UNKNOWN_ID = `video_${'0'.repeat(12)}70008${'0'.repeat(15)}`

/** Costs no rendering. */
const CHEAP = 'sandbox:fail'
const SMALL = { seconds: '1', size: '480x480' }

describe('references of the OpenAI Videos dialect', () => {
  let server: TestServer
  let red: Bytes
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: '127.0.0.0/8' } })
    red = await picture('red')
  })
  after(() => server.stop())

  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  async function completed(id: string, key: string): Promise<Video> {
    const video = await waitForEnd(server, id, { key })
    assert.equal(video.status, 'completed', JSON.stringify(video))
    return video
  }

  async function fileOf(id: string, key: string) {
    const headers = { authorization: `Bearer ${key}` }
    const answer = await fetch(`${server.url}${VIDEOS}/${id}/content`, { headers })
    return readVideoFile(new Uint8Array(await answer.arrayBuffer()))
  }

  /** A video of the account's own, of 2 s. */
  async function source(key: string): Promise<Video> {
    return completed((await create(server, { prompt: 'snow', seconds: '2', size: '480x480' }, { key })).id, key)
  }

  describe('input_reference', () => {
    test('as a file of the form is what the video starts from', async () => {
      const { key } = await account()
      const form = await formOf({ prompt: 'it blows away', input_reference: red, ...SMALL })
      const { id } = videoOf(await server.ask('POST', VIDEOS, { key, ...form }))
      const { seconds, size, remixed_from_video_id } = await completed(id, key)
      assert.deepEqual([seconds, size, remixed_from_video_id], ['1', '480x480', null])
      assert.equal(await colourOf(server, id, key), 'red')
      // 5 credits a second, and 0.2 for the picture, rounded up.
      assert.equal(await rivya.credits(server, { key }), 994)
    })

    test('is taken by URL and by id, from JSON and from a form', async () => {
      const { key } = await account()
      const file = await upload(server, { kind: 'image', bytes: red, key })
      await using site = await serving(red)
      const prompt = CHEAP
      const asks: Ask[] = [
        { body: { prompt, input_reference: { image_url: `${site.url}/a.png` } } },
        { body: { prompt, input_reference: { image_url: dataUri(red) } } },
        { body: { prompt, input_reference: { file_id: file.id } } },
        await formOf({ prompt, 'input_reference[image_url]': `${site.url}/a.png` }),
        await formOf({ prompt, 'input_reference[file_id]': file.id }),
      ]
      for (const ask of asks) videoOf(await server.ask('POST', VIDEOS, { key, ...ask }))
      assert.equal(site.received.length, 2)
    })

    test('in a form that is repeated with its key is one video; another file is another request', async () => {
      const { key } = await account()
      const headers = { 'idempotency-key': 'again' }
      const ask = async (input_reference: Bytes) => {
        const form = await formOf({ prompt: CHEAP, input_reference })
        return server.ask('POST', VIDEOS, { key, body: form.body, headers: { ...form.headers, ...headers } })
      }
      const { id } = videoOf(await ask(red))
      assert.equal(videoOf(await ask(red)).id, id)
      assertRefused(await ask(await picture('blue')), {
        status: 400,
        code: 'idempotency_conflict',
        param: null,
        says: ['Idempotency-Key'],
      })
    })
  })

  describe('a video that is made of another', () => {
    test('remixed, is as long and as large, and names the one it is of', async () => {
      const { key } = await account()
      const { id } = await source(key)
      const before = await rivya.credits(server, { key })
      const remix = videoOf(await server.ask('POST', `${VIDEOS}/${id}/remix`, { key, body: { prompt: 'at night' } }))
      assert.deepEqual([remix.status, remix.remixed_from_video_id, remix.prompt], ['queued', id, 'at night'])
      const { seconds, size, remixed_from_video_id } = await completed(remix.id, key)
      assert.deepEqual([seconds, size, remixed_from_video_id], ['2', '480x480', id])
      const file = await fileOf(remix.id, key)
      assert.deepEqual([file.width, file.height, file.durationSeconds], [480, 480, 2])
      // 5 credits a second of the remix, 1 a second of the source.
      assert.equal(await rivya.credits(server, { key }), before - 12)
    })

    test('remixed, is not made for a client that left while the source was being brought', async () => {
      const { key } = await account()
      const { id } = await source(key)
      const path = `${VIDEOS}/${id}/remix`
      const leaving = new AbortController()
      const body = JSON.stringify({ prompt: CHEAP })
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' }
      const patient = await server.withDatabase(async (pool) => {
        const client = await pool.connect()
        const waiting = (count: number) =>
          waitFor(`${count} remixes to wait for the table`, async () => {
            const { rows } = await pool.query(`select from pg_locks where relation = 'files'::regclass and not granted`)
            return rows.length === count ? true : undefined
          })
        try {
          await client.query('begin')
          await client.query('lock table files in exclusive mode')
          const { signal } = leaving
          const left = fetch(server.url + path, { method: 'POST', headers, body, signal }).catch(() => 'left')
          await waiting(1)
          leaving.abort()
          assert.equal(await left, 'left')
          // The end of a connection comes before a request that was sent after it.
          const second = server.ask('POST', path, { key, body: { prompt: CHEAP } })
          await waiting(2)
          await client.query('commit')
          return videoOf(await second)
        } finally {
          client.release()
        }
      })
      await waitForEnd(server, patient.id, { key })
      const { data } = z
        .object({ data: z.array(z.object({ id: z.string() })) })
        .parse((await server.ask('GET', VIDEOS, { key })).body)
      assert.deepEqual(
        data.map((video) => video.id),
        [patient.id, id],
      )
    })

    test('extended, is the whole of it and what comes next, and no remix', async () => {
      const { key } = await account()
      const { id } = await source(key)
      const form = await formOf({ prompt: 'and on', seconds: '2', 'video[id]': id })
      const extension = videoOf(await server.ask('POST', EXTENSIONS, { key, ...form }))
      const { seconds, size, remixed_from_video_id } = await completed(extension.id, key)
      assert.deepEqual([seconds, size, remixed_from_video_id], ['4', '480x480', null])
      assert.ok(Math.abs((await fileOf(extension.id, key)).durationSeconds - 4) < 0.1)
    })

    test('edited from a file that was brought along, has the file’s own length and is no remix', async () => {
      const { key } = await account()
      const form = await formOf({ prompt: 'in ink', video: await clip(1.5) })
      const edit = videoOf(await server.ask('POST', EDITS, { key, ...form }))
      const { seconds, size, remixed_from_video_id } = await completed(edit.id, key)
      assert.deepEqual([seconds, size, remixed_from_video_id], ['1.5', '160x90', null])
      assert.equal((await fileOf(edit.id, key)).durationSeconds, 1.5)
    })

    test('answers a repeated remix as the first time, although the video is deleted by now', async () => {
      const { key } = await account()
      const { id } = await source(key)
      const remix = { key, headers: { 'idempotency-key': 'remix' }, body: { prompt: CHEAP } }
      const first = videoOf(await server.ask('POST', `${VIDEOS}/${id}/remix`, remix))
      await remove(server, id, { key })
      const again = videoOf(await server.ask('POST', `${VIDEOS}/${id}/remix`, remix))
      assert.equal(again.id, first.id)
    })

    test('is named in JSON as in a form, and an edit of one’s own video is a remix of it', async () => {
      const { key } = await account()
      const { id } = await source(key)
      const asks: readonly (readonly [path: string, ask: Ask])[] = [
        [EDITS, { body: { prompt: CHEAP, video: { id } } }],
        [EDITS, await formOf({ prompt: CHEAP, 'video[id]': id })],
        [EXTENSIONS, { body: { prompt: CHEAP, seconds: '10', video: { id } } }],
        [EXTENSIONS, await formOf({ prompt: CHEAP, video: await clip(2) })],
      ]
      const seen: unknown[] = []
      for (const [path, ask] of asks) {
        const { seconds, remixed_from_video_id } = videoOf(await server.ask('POST', path, { key, ...ask }))
        seen.push([seconds, remixed_from_video_id])
      }
      assert.deepEqual(seen, [
        ['2', id],
        ['2', id],
        ['12', null],
        ['6', null],
      ])
    })

    test('is another request for each video and for each manner, with the same body and key', async () => {
      const { key } = await account()
      const [one, other] = [await source(key), await source(key)]
      const conflict = { status: 400, code: 'idempotency_conflict', param: null, says: ['Idempotency-Key'] }
      const remix = { key, headers: { 'idempotency-key': 'remix' }, body: { prompt: CHEAP } }
      const { id } = videoOf(await server.ask('POST', `${VIDEOS}/${one.id}/remix`, remix))
      assert.equal(videoOf(await server.ask('POST', `${VIDEOS}/${one.id}/remix`, remix)).id, id)
      assertRefused(await server.ask('POST', `${VIDEOS}/${other.id}/remix`, remix), conflict)
      const edit = { key, headers: { 'idempotency-key': 'edit' }, body: { prompt: CHEAP, video: { id: one.id } } }
      videoOf(await server.ask('POST', EDITS, edit))
      assertRefused(await server.ask('POST', EXTENSIONS, edit), conflict)
    })
  })

  describe('what is refused, at no cost', () => {
    const invalid = (param: string, ...says: (string | RegExp)[]): ExpectedRefusal => ({
      status: 400,
      code: 'invalid_value',
      param,
      says,
    })
    const P = { prompt: CHEAP }
    const cases: readonly (readonly [name: string, path: string, ask: () => Promise<Ask> | Ask, ExpectedRefusal])[] = [
      [
        'a file and a URL',
        VIDEOS,
        () => formOf({ ...P, input_reference: red, 'input_reference[image_url]': 'https://a.example/b.png' }),
        invalid('input_reference[image_url]', 'beside input_reference'),
      ],
      [
        'a GIF',
        VIDEOS,
        async () => formOf({ ...P, input_reference: await picture('red', { format: 'gif' }) }),
        invalid('input_reference', 'GIF'),
      ],
      [
        'a video for a picture',
        VIDEOS,
        async () => formOf({ ...P, input_reference: await clip(1) }),
        invalid('input_reference', 'video/mp4', 'image/png'),
      ],
      [
        'an empty file',
        VIDEOS,
        () => formOf({ ...P, input_reference: new Uint8Array() }),
        invalid('input_reference', 'empty'),
      ],
      [
        'an unknown file',
        VIDEOS,
        () => ({ body: { ...P, input_reference: { file_id: 'file-1' } } }),
        invalid('input_reference.file_id', 'names no file'),
      ],
      [
        'a file that no form has brought',
        VIDEOS,
        () => ({ body: { ...P, input_reference: { filename: 'a', sha256: 'b', size_bytes: 1 } } }),
        invalid('input_reference', 'image_url or file_id'),
      ],
      [
        'a URL that may not be fetched',
        VIDEOS,
        () => ({ body: { ...P, input_reference: { image_url: 'https://10.0.0.1/a.png' } } }),
        { ...invalid('input_reference.image_url'), code: 'invalid_value' },
      ],
      ['an edit without a video', EDITS, () => formOf(P), invalid('video', 'video is required')],
      [
        'an edit with seconds',
        EDITS,
        () => formOf({ ...P, seconds: '4', 'video[id]': UNKNOWN_ID }),
        invalid('seconds'),
      ],
      [
        'an edit of no video',
        EDITS,
        () => ({ body: { ...P, video: { id: UNKNOWN_ID } } }),
        invalid('video.id', 'names no task'),
      ],
      [
        'an edit by 1.5',
        EDITS,
        () => ({ body: { ...P, model: 'grok-imagine-video-1.5', video: { id: UNKNOWN_ID } } }),
        invalid('model', 'cannot edit'),
      ],
      ['an edit of a picture', EDITS, () => formOf({ ...P, video: red }), invalid('video', 'image/png', 'video/mp4')],
      [
        'an edit of 16 s',
        EDITS,
        async () => formOf({ ...P, video: await clip(16) }),
        invalid('video', '16 s', '15.5 s'),
      ],
      [
        'an extension of 1 s',
        EXTENSIONS,
        async () => formOf({ ...P, video: await clip(1) }),
        invalid('video', '1 s', '2 to 15.5 s'),
      ],
      [
        'an extension by 12 s',
        EXTENSIONS,
        () => formOf({ ...P, seconds: '12', 'video[id]': UNKNOWN_ID }),
        invalid('seconds', '"12"', 'one of 2, 3'),
      ],
      [
        'a remix of no video',
        `${VIDEOS}/${UNKNOWN_ID}/remix`,
        () => ({ body: P }),
        { status: 404, code: 'video_not_found', param: null, says: ['no such generation'] },
      ],
    ]
    for (const [name, path, ask, expected] of cases) {
      test(`${name}: ${expected.status} ${expected.code}`, async () => {
        const { key } = await account(100)
        assertRefused(await server.ask('POST', path, { key, ...(await ask()) }), expected)
        assert.equal(await rivya.credits(server, { key }), 100)
      })
    }

    test('a video that is not finished, and one that has failed', async () => {
      const { key } = await account()
      const slow = await create(server, SLOW, { key })
      const failed = await waitForEnd(server, (await create(server, P, { key })).id, { key })
      for (const [id, says] of [
        [slow.id, 'has not finished yet'],
        [failed.id, 'has failed'],
      ] as const) {
        assertRefused(
          await server.ask('POST', EDITS, { key, body: { ...P, video: { id } } }),
          invalid('video.id', says),
        )
        const extension = await formOf({ ...P, 'video[id]': id })
        assertRefused(await server.ask('POST', EXTENSIONS, { key, ...extension }), invalid('video[id]', says))
        assertRefused(await server.ask('POST', `${VIDEOS}/${id}/remix`, { key, body: P }), invalid('id', says))
      }
      await remove(server, slow.id, { key })
    })

    test('another account’s video and file, as if they were not there', async () => {
      const [owner, stranger] = [await account(), await account()]
      const { id } = await source(owner.key)
      const file = await upload(server, { kind: 'image', bytes: red, key: owner.key })
      const { key } = stranger
      const remix = await server.ask('POST', `${VIDEOS}/${id}/remix`, { key, body: P })
      assertRefused(remix, { status: 404, code: 'video_not_found', param: null, says: ['no such generation'] })
      for (const path of [EDITS, EXTENSIONS]) {
        const answer = await server.ask('POST', path, { key, body: { ...P, video: { id } } })
        assertRefused(answer, invalid('video.id', 'names no task of this account'))
      }
      const byId = { ...P, input_reference: { file_id: file.id } }
      assertRefused(
        await server.ask('POST', VIDEOS, { key, body: byId }),
        invalid('input_reference.file_id', 'names no file of this account'),
      )
      assert.equal(await rivya.credits(server, { key }), 1_000)
    })
  })

  test('logged no fault of its own', () => rivya.assertNoFaultLogged(server))
})
