/**
 * Test and live apart: whatever one mode's key of an account made, the other's neither sees, links, uses nor deletes, and what
 * it asks costs the other nothing. A key that stands in the log of a build is a test key.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { parseId, uuidOf } from '../../src/canonical/ids.ts'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { createAsync, SHORT, waitForResponse } from './acedata.ts'
import { type Bytes, picture, upload } from './reference-files.ts'
import { credits, filePageOf } from './rivya.ts'

const FILES = '/api/v1/files'
const FREE = 'sandbox:fail a quiet sea'

/** Creates that name a picture or a video, by dialect: by its link, and by its id where the dialect has one. */
const WITH_PICTURE: readonly (readonly [path: string, bodyOf: (file: { id: string; url: string }) => object])[] = [
  [
    '/api/v1/generations',
    ({ url }) => ({
      model: 'grok-imagine-video',
      prompt: FREE,
      params: { referenceMediaItems: [{ url, kind: 'image' }] },
    }),
  ],
  ['/v1/generate', ({ url }) => ({ prompt: FREE, images: url })],
  ['/grok/videos', ({ url }) => ({ prompt: FREE, image_url: url, async: true })],
  ['/v1/videos/generations', ({ url }) => ({ prompt: FREE, image: { url } })],
  ['/v1/videos/generations', ({ id }) => ({ prompt: FREE, image: { file_id: id } })],
  ['/openai/v1/videos', ({ url }) => ({ prompt: FREE, input_reference: { image_url: url } })],
  ['/openai/v1/videos', ({ id }) => ({ prompt: FREE, input_reference: { file_id: id } })],
]
const WITH_VIDEO: readonly (readonly [path: string, bodyOf: (video: { id: string; url: string }) => object])[] = [
  ['/v1/videos/edits', ({ url }) => ({ prompt: FREE, video: { url } })],
  ['/v1/videos/extensions', ({ url }) => ({ prompt: FREE, video: { url } })],
  ['/openai/v1/videos/edits', ({ id }) => ({ prompt: FREE, video: { id } })],
  ['/openai/v1/videos/extensions', ({ id }) => ({ prompt: FREE, video: { id }, seconds: '4' })],
]

describe('test and live', () => {
  let server: TestServer
  let account: TestAccount
  let png: Bytes
  before(async () => {
    server = await startServer()
    account = await server.createAccount({ credits: 1_000 })
    png = await picture('red', { width: 320, height: 320 })
  })
  after(() => server.stop())

  /** Either way round: whose file it is, and who has no business with it. */
  const ways = (): readonly (readonly [own: string, other: string])[] => [
    [account.key, account.testKey],
    [account.testKey, account.key],
  ]

  test('a file is in the list of its mode alone, and there alone it is read and deleted', async () => {
    for (const [own, other] of ways()) {
      const file = await upload(server, { kind: 'image', bytes: png, key: own })
      const listed = filePageOf(await server.ask('GET', FILES, { key: other })).data.map(({ id }) => id)
      assert.ok(!listed.includes(file.id))
      assert.equal((await server.ask('GET', `${FILES}/${file.id}`, { key: other })).status, 404)
      assert.equal((await server.ask('DELETE', `${FILES}/${file.id}`, { key: other })).status, 404)
      assert.equal((await server.ask('GET', `${FILES}/${file.id}`, { key: own })).status, 200)
    }
  })

  test('a picture is used in its mode alone, by link and by id, in every dialect', async () => {
    for (const [own, other] of ways()) {
      const file = await upload(server, { kind: 'image', bytes: png, key: own })
      for (const [path, bodyOf] of WITH_PICTURE) {
        const before = await credits(server, { key: other })
        const refused = await server.ask('POST', path, { key: other, body: bodyOf(file) })
        assert.equal(refused.status, 400, `${path}: ${refused.text}`)
        assert.match(refused.text, /names no file of this account/)
        // What an earlier one held may have come back meanwhile.
        assert.ok((await credits(server, { key: other })) >= before)
        const taken = await server.ask('POST', path, { key: own, body: bodyOf(file) })
        assert.equal(taken.status, 200, `${path}: ${taken.text}`)
      }
    }
  })

  test('a finished video is used in its mode alone, by link and by id', async () => {
    for (const [own, other] of ways()) {
      const { id } = await createAsync(server, { ...SHORT, duration: 2 }, { key: own })
      const { response } = await waitForResponse(server, id, { key: own })
      const { data } = z.object({ data: z.tuple([z.object({ video_url: z.url() })]) }).parse(response)
      const video = { id: `video_${id.replaceAll('-', '')}`, url: data[0].video_url }
      for (const [path, bodyOf] of WITH_VIDEO) {
        const refused = await server.ask('POST', path, { key: other, body: bodyOf(video) })
        assert.equal(refused.status, 400, `${path}: ${refused.text}`)
        const taken = await server.ask('POST', path, { key: own, body: bodyOf(video) })
        assert.equal(taken.status, 200, `${path}: ${taken.text}`)
      }
    }
  })

  test('requests of a test key spend nothing of what the live key may make, and the other way round', async () => {
    const limited = await server.createAccount({ credits: 100, requestsPerMinute: 3 })
    const statuses = async (key: string) => {
      const answers = [1, 2, 3, 4].map(() => server.ask('GET', '/api/v1/credits', { key }))
      return (await Promise.all(answers)).map(({ status }) => status).sort()
    }
    assert.deepEqual(await statuses(limited.testKey), [200, 200, 200, 429])
    assert.deepEqual(await statuses(limited.key), [200, 200, 200, 429])
  })

  test('what a test key stores takes none of the room of the live key', async () => {
    const free = await server.createAccount({ credits: 100, plan: 'free' })
    const id = parseId('acct', free.accountId)
    assert.ok(id)
    await server.withDatabase((pool) =>
      pool.query(
        `insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes, stored_at)
         select gen_random_uuid(), w.id, sha256('full'), 'files/full', 'video/mp4', 1024 * 1024 * 1024, now()
         from wallets w where w.account_id = $1 and w.mode = 'test'`,
        [uuidOf(id)],
      ),
    )
    await assert.rejects(upload(server, { kind: 'image', bytes: png, key: free.testKey }), /0 MiB of the 1 GiB/)
    await upload(server, { kind: 'image', bytes: png, key: free.key })
  })
})
