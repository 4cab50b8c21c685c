import assert from 'node:assert/strict'
import { createHash, createPublicKey } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { insertMediaRow } from '../../test/support/media-row.ts'
import { type MediaId, newId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import { DiskStore } from '../media/disk-store.ts'
import { installationKey } from '../media/installation-key.ts'
import { MediaLinks } from '../media/links.ts'
import { signManifest, verifyManifest } from '../media/manifest.ts'
import { manifestUrl } from '../media/manifest-url.ts'
import { publicKeySchema, readPublicKey } from '../media/public-key.ts'
import { mountManifest } from './manifest-route.ts'

const video = Buffer.from('video')
const sha256 = createHash('sha256').update(video).digest('hex')
let now = new Date()
let database: TestDatabase
let folder: string
let app: FastifyInstance
let origin = ''
let links: MediaLinks
let videoId: MediaId

const linkTo = (id: MediaId, mimeType = 'video/mp4'): string =>
  links.urlOf({ id, mimeType, expiresAt: new Date(now.getTime() + 3_600_000) })

async function errorOf(response: Response, status: number): Promise<unknown> {
  assert.equal(response.status, status)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  return response.json()
}

/** A manifest, in the store and beside its video in the database. */
async function storeManifest(store: DiskStore, ofVideo: MediaId): Promise<void> {
  const claims = {
    version: 1,
    task_id: newId('task'),
    media_sha256: sha256,
    media_size_bytes: video.length,
    media_type: 'video/mp4',
    model: 'm',
    provider: 'p',
    digital_source_type: 'algorithmicMedia',
    prompt_sha256: sha256,
    created_at: '2026-03-01T00:00:00.000Z',
  } as const
  const manifest = signManifest(claims, await installationKey(database.pool))
  const [source, storeKey] = [join(folder, 'source'), `aa/${ofVideo}/manifest.json`]
  await writeFile(source, JSON.stringify(manifest))
  const { sizeBytes, sha256: hash } = await store.put(storeKey, source)
  await database.pool.query(
    `insert into media (id, task_id, kind, store_key, mime_type, size_bytes, sha256, expires_at)
     select $1, task_id, 'manifest', $2, 'application/json', $3, $4, expires_at from media where id = $5`,
    [uuidOf(newId('med')), storeKey, sizeBytes, hash, uuidOf(ofVideo)],
  )
}

describe('GET /media/:file/manifest.json', () => {
  before(async () => {
    database = await testDatabase()
    folder = await mkdtemp(join(tmpdir(), 'reelay-manifest-route-'))
    const store = await DiskStore.open(join(folder, 'store'))
    videoId = await insertMediaRow(database.pool, { storeKey: 'aa/video.mp4', content: video })
    await storeManifest(store, videoId)
    app = fastify()
    links = new MediaLinks({ publicUrl: () => origin, secret: Buffer.alloc(32, 1), now: () => now })
    const { publicKey } = await installationKey(database.pool)
    mountManifest(app, { db: database.pool, store, links, publicKey })
    origin = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(async () => {
    await app.close()
    await database[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  it('gives whoever holds the link to a video its manifest, which the public key confirms', async () => {
    const response = await fetch(manifestUrl(linkTo(videoId)))
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(response.headers.get('content-disposition'), 'inline; filename="manifest.json"')
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    const manifest = JSON.parse(await response.text())

    const answer = await fetch(`${origin}/.well-known/reelay-signing-key.json`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=3600')
    const key = publicKeySchema.strict().parse(await answer.json())
    assert.equal(key.key_id, manifest.key_id)
    assert.equal(key.jwk.x, key.public_key)
    for (const publicKey of [readPublicKey(key.public_key), createPublicKey({ key: key.jwk, format: 'jwk' })]) {
      assert.ok(publicKey !== undefined)
      assert.equal(verifyManifest(manifest, publicKey, sha256).kind, 'genuine')
    }
  })

  it('gives the public key without asking the database, however often it is asked for', async () => {
    const silent = fastify()
    const away: Queryable = { query: () => Promise.reject(new Error('the database is away')) }
    const { publicKey } = await installationKey(database.pool)
    const store = await DiskStore.open(join(folder, 'store'))
    mountManifest(silent, { db: away, store, links, publicKey })
    const answer = await silent.inject('/.well-known/reelay-signing-key.json')
    assert.equal(answer.statusCode, 200)
    assert.ok(readPublicKey(publicKeySchema.parse(answer.json()).public_key)?.equals(publicKey) === true)
    await silent.close()
  })

  it('answers HEAD, and says when the copy of the client is still good', async () => {
    const url = manifestUrl(linkTo(videoId))
    const head = await fetch(url, { method: 'HEAD' })
    assert.equal(head.status, 200)
    const again = await fetch(url, { headers: { 'if-none-match': head.headers.get('etag') ?? '' } })
    assert.equal(again.status, 304)
  })

  it('says no more than "not found" of what was not signed, and of what has no manifest', async () => {
    const url = manifestUrl(linkTo(videoId))
    const lonely = await insertMediaRow(database.pool, { storeKey: 'aa/lonely.mp4', content: video })
    const attempts = [
      `${origin}/media/${videoId}.mp4/manifest.json`,
      url.replace('signature=', 'signature=x'),
      url.replace(/expires=(\d)/, 'expires=9$1'),
      url.replace(videoId, newId('med')),
      url.replace('.mp4', '.json'),
      manifestUrl(linkTo(lonely)),
      manifestUrl(linkTo(newId('med'))),
    ]
    for (const attempt of attempts) assert.deepEqual(await errorOf(await fetch(attempt), 404), { error: 'not found' })
  })

  it('ends with the link, and with the files', async () => {
    const url = manifestUrl(linkTo(videoId))
    const before = now
    now = new Date(now.getTime() + 48 * 3_600_000)
    const expired = await fetch(url)
    now = before
    assert.deepEqual(await errorOf(expired, 410), { error: 'link expired, read the task again for a fresh one' })
    await database.pool.query(`update media set expires_at = now()`)
    assert.deepEqual(await errorOf(await fetch(url), 410), { error: 'deleted by retention' })
  })
})
