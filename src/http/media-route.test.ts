import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { examinedFile } from '../../test/support/examined-file.ts'
import { insertMediaRow } from '../../test/support/media-row.ts'
import { Patience } from '../../test/support/patience.ts'
import { insertAccount } from '../accounts/queries.ts'
import { type FileId, type MediaId, newId, uuidOf } from '../canonical/ids.ts'
import { keepFile } from '../files/keep/keep-file.ts'
import { insertWallets, selectWallet } from '../ledger/queries.ts'
import { DiskStore } from '../media/disk-store.ts'
import { MediaLinks, signLink } from '../media/links.ts'
import type { ByteSpan, Store } from '../media/store.ts'
import { mountMedia } from './media-route.ts'

/** Larger than every buffer between the store and a client that does not read. */
const SIZE = 32 * 1024 * 1024

const content = randomBytes(SIZE)
const etag = `"${createHash('sha256').update(content).digest('base64url')}"`
const secret = randomBytes(32)
const opened: Readable[] = []
let now = new Date()
let database: TestDatabase
let folder: string
let store: DiskStore
let app: FastifyInstance
let origin: string
let id: MediaId

async function storedMedia(bytes: Buffer, keepSeconds = 3600): Promise<MediaId> {
  const storeKey = `aa/${randomBytes(4).toString('hex')}`
  await writeFile(join(folder, 'source'), bytes)
  await store.put(storeKey, join(folder, 'source'))
  return insertMediaRow(database.pool, { storeKey, content: bytes, keepSeconds })
}

/** A picture that a customer uploaded. */
async function storedFile(): Promise<FileId> {
  const content = Buffer.from('picture')
  const account = newId('acct')
  await insertAccount(database.pool, { id: account, plan: 'free', name: 'test', spicyAllowed: false })
  await insertWallets(database.pool, account)
  const wallet = await selectWallet(database.pool, account, 'live')
  assert.ok(wallet !== undefined)
  const owner = { account, wallet, plan: 'free' } as const
  const file = await examinedFile(folder, content)
  const { id } = await keepFile({ db: database.pool, store }, { owner, purpose: 'upload', file })
  return id
}

function linkTo(media: MediaId | FileId, expires = Math.floor(now.getTime() / 1000) + 3600, ending = 'mp4'): string {
  const file = `${media}.${ending}`
  return `/media/${file}?expires=${expires}&signature=${signLink({ file, expires }, secret)}`
}

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${origin}${path}`, { headers: { 'accept-encoding': 'gzip', ...headers } })

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

async function errorOf(response: Response): Promise<unknown> {
  assert.equal(response.headers.get('cache-control'), 'no-store')
  return response.json()
}

describe('GET /media/:file', () => {
  before(async () => {
    database = await testDatabase()
    folder = await mkdtemp(join(tmpdir(), 'reelay-media-route-'))
    store = await DiskStore.open(join(folder, 'store'))
    id = await storedMedia(content)
    const watched: Pick<Store, 'open'> = {
      async open(key: string, span?: ByteSpan) {
        const stream = await store.open(key, span)
        opened.push(stream)
        return stream
      },
    }
    app = fastify()
    const links = new MediaLinks({ publicUrl: () => 'http://localhost', secret, now: () => now })
    mountMedia(app, { db: database.pool, store: watched, links })
    origin = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(async () => {
    await app.close()
    await database[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  it('serves the bytes with what players, caches and browsers need to know', async () => {
    const response = await get(linkTo(id))
    assert.equal(response.status, 200)
    assert.ok(content.equals(await bytesOf(response)))
    const expected = {
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'content-disposition': `inline; filename="${id}.mp4"`,
      'content-length': `${SIZE}`,
      'content-type': 'video/mp4',
      etag,
      'x-content-type-options': 'nosniff',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(response.headers.get(name), value, name)
    assert.equal(response.headers.get('content-encoding'), null)
    assert.match(response.headers.get('cache-control') ?? '', /^private, max-age=3(599|600)$/)
    assert.ok(Number.isFinite(Date.parse(response.headers.get('last-modified') ?? '')))
  })

  it('serves one range', async () => {
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=1000000-1999999', 1_000_000, 1_999_999],
      [`bytes=${SIZE - 3}-`, SIZE - 3, SIZE - 1],
      ['bytes=-7', SIZE - 7, SIZE - 1],
    ] as const) {
      const response = await get(linkTo(id), { range })
      assert.equal(response.status, 206, range)
      assert.equal(response.headers.get('content-range'), `bytes ${start}-${end}/${SIZE}`)
      assert.equal(response.headers.get('content-length'), `${end - start + 1}`)
      assert.ok(content.subarray(start, end + 1).equals(await bytesOf(response)))
    }
  })

  it('refuses a range behind the end and says where that is', async () => {
    const response = await get(linkTo(id), { range: `bytes=${SIZE}-` })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), `bytes */${SIZE}`)
    assert.deepEqual(await errorOf(response), { error: `the file has ${SIZE} bytes` })
  })

  it('answers several ranges at once with the whole file', async () => {
    const response = await get(linkTo(id), { range: 'bytes=0-1,5-6' })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-length'), String(SIZE))
    await response.body?.cancel()
  })

  it('continues a download only of the same version', async () => {
    const modified = (await get(linkTo(id), { range: 'bytes=0-0' })).headers.get('last-modified') ?? ''
    for (const [ifRange, status] of [
      [etag, 206],
      [modified, 206],
      ['"other"', 200],
      [`W/${etag}`, 200],
      ['Thu, 01 Jan 2015 00:00:00 GMT', 200],
    ] as const) {
      const response = await get(linkTo(id), { range: 'bytes=0-9', 'if-range': ifRange })
      assert.equal(response.status, status, ifRange)
      await response.body?.cancel()
    }
  })

  it('says when the copy of the client is still good', async () => {
    const future = new Date(Date.now() + 60_000).toUTCString()
    const good = [etag, `W/${etag}`, `"a", ${etag}`, '*']
    for (const headers of [...good.map((tag) => ({ 'if-none-match': tag })), { 'if-modified-since': future }]) {
      const response = await get(linkTo(id), headers)
      assert.equal(response.status, 304, JSON.stringify(headers))
      assert.equal(response.headers.get('etag'), etag)
      assert.equal((await bytesOf(response)).length, 0)
    }
    const other = await get(linkTo(id), { 'if-none-match': '"other"', 'if-modified-since': future })
    assert.equal(other.status, 200)
    await other.body?.cancel()
  })

  it('serves a client that insists on a version no other', async () => {
    for (const [ifMatch, status] of [
      [etag, 206],
      [`"a", ${etag}`, 206],
      ['*', 206],
      ['"other"', 412],
      [`W/${etag}`, 412],
    ] as const) {
      const response = await get(linkTo(id), { 'if-match': ifMatch, range: 'bytes=0-9' })
      assert.equal(response.status, status, ifMatch)
      if (status === 206) await response.body?.cancel()
      else assert.deepEqual(await errorOf(response), { error: `the file is of another version: ${etag}` })
    }
    // Heeded before what would be answered with 304 (13.2.2).
    const both = await get(linkTo(id), { 'if-match': '"other"', 'if-none-match': etag })
    assert.equal(both.status, 412)
    assert.equal((await get(linkTo(id), { 'if-match': etag, 'if-none-match': etag })).status, 304)
  })

  it('answers HEAD with the length of the file, without opening it', async () => {
    opened.length = 0
    for (const headers of [{}, { range: 'bytes=0-9' }]) {
      const response = await fetch(`${origin}${linkTo(id)}`, { method: 'HEAD', headers })
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('content-length'), `${SIZE}`)
      assert.equal(response.headers.get('etag'), etag)
    }
    assert.equal(opened.length, 0)
  })

  it('says that a link has expired, to the second and with the way out', async () => {
    const expires = Math.floor(now.getTime() / 1000) + 10
    const link = linkTo(id, expires)
    assert.equal((await fetch(`${origin}${link}`, { method: 'HEAD' })).status, 200)
    const before = now
    now = new Date(expires * 1000)
    const response = await get(link)
    now = before
    assert.equal(response.status, 410)
    assert.deepEqual(await errorOf(response), { error: 'link expired, read the task again for a fresh one' })
  })

  it('says that retention has deleted a file, whether or not the link has expired too', async () => {
    const gone = await storedMedia(Buffer.from('old'), -1)
    for (const link of [linkTo(gone), linkTo(gone, 1)]) {
      const response = await get(link)
      assert.equal(response.status, 410)
      assert.deepEqual(await errorOf(response), { error: 'deleted by retention' })
    }
  })

  it('serves the files of customers by links of their own, as what they were found to be', async () => {
    const picture = await storedFile()
    const response = await get(linkTo(picture, undefined, 'png'))
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'image/png')
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(response.headers.get('content-disposition'), `inline; filename="${picture}.png"`)
    assert.equal((await bytesOf(response)).toString(), 'picture')
    const expired = await get(linkTo(picture, 1, 'png'))
    assert.equal(expired.status, 410)
    assert.deepEqual(await errorOf(expired), { error: 'link expired, read the file again for a fresh one' })
    assert.equal((await get(linkTo(newId('file'), undefined, 'png'))).status, 404)
    await database.pool.query('update files set deleted_at = now() where id = $1', [uuidOf(picture)])
    const deleted = await get(linkTo(picture, undefined, 'png'))
    assert.equal(deleted.status, 410)
    assert.deepEqual(await errorOf(deleted), { error: 'the file has expired or was deleted' })
  })

  it('does not know what was not signed, however much of it is right', async () => {
    const link = linkTo(id)
    const expires = Number(new URL(link, origin).searchParams.get('expires'))
    const attempts = [
      `/media/${id}.mp4`,
      link.replace('signature=', 'signature=x'),
      link.replace(/expires=\d+/, `expires=${expires + 1}`),
      link.replace('expires=', 'expires=0'),
      link.replace(id, newId('med')),
      link.replace('.mp4', '.json'),
      `${link}&signature=second`,
      '/media/..%2f..%2fetc%2fpasswd?expires=9999999999&signature=x',
      linkTo(newId('med')),
    ]
    for (const attempt of attempts) {
      const response = await get(attempt)
      assert.equal(response.status, 404, attempt)
      assert.deepEqual(await errorOf(response), { error: 'not found' })
    }
  })

  it('answers a file that has gone missing with an error, and not with half an answer', async () => {
    const lost = await storedMedia(Buffer.from('lost'))
    const { rows } = await database.pool.query<{ store_key: string }>(
      'select store_key from media order by created_at desc limit 1',
    )
    await store.delete(rows[0]?.store_key ?? '')
    const response = await get(linkTo(lost))
    assert.equal(response.status, 500)
    assert.equal(response.headers.get('etag'), null)
    assert.equal(response.headers.get('cache-control'), null)
    assert.ok((await response.text()).length > 10)
  })

  it('waits for a slow client instead of reading the file into memory, and closes it when the client leaves', async () => {
    opened.length = 0
    const { call, response } = await begin(linkTo(id))
    await new Promise((resolve) => response.once('readable', resolve))
    const [file] = opened
    assert.ok(file && opened.length === 1)
    // Nothing is read any more: what the stream has given stays within the buffers of the two sockets.
    await settles(() => bytesRead(file))
    assert.ok(bytesRead(file) < SIZE / 2, `${bytesRead(file)} bytes were read`)
    assert.equal(file.destroyed, false)
    const closed = new Promise((resolve) => file.once('close', resolve))
    call.destroy()
    await closed
    assert.equal(file.destroyed, true)
  })

  it('serves a client that reads slowly, and two at once, in full', async () => {
    const responses = await Promise.all([begin(linkTo(id)), begin(linkTo(id))])
    for (const { response } of responses) assert.ok(content.equals(await buffer(response)))
  })
})

function bytesRead(file: Readable): number {
  return 'bytesRead' in file && typeof file.bytesRead === 'number' ? file.bytesRead : Number.NaN
}

/** Waits until a number is the same for many turns of the event loop. */
async function settles(read: () => number): Promise<void> {
  const patience = new Patience()
  for (let last = -1, equal = 0; equal < 1_000; ) {
    assert.ok(!patience.isOver(), 'it does not settle')
    await new Promise((resolve) => setImmediate(resolve))
    equal = read() === last ? equal + 1 : 0
    last = read()
  }
}

function begin(path: string): Promise<{ call: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const call = request(`${origin}${path}`, (response) => {
      response.on('error', () => {})
      resolve({ call, response })
    })
    call.on('error', reject).end()
  })
}
