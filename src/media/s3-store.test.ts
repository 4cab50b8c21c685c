import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer, request as forward, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { describeStore } from '../../test/support/describe-store.ts'
import { swiftMissing, TestSwift } from '../../test/support/swift.ts'
import type { Bucket } from '../canonical/bucket.ts'
import { BucketFault } from './bucket-fault.ts'
import { openStore } from './open-store.ts'
import { S3Store } from './s3-store.ts'

const MIB = 1024 ** 2

/** Five parts. */
const LARGE_FILE_BYTES = 40 * MIB

/** Many times what a `put` may hold. */
const HUGE_FILE_BYTES = 200 * MIB

/** What a `put` holds, 64 to 77 MiB as measured, with room for garbage that a busy machine collects late. */
const MEMORY_BYTES = 128 * MIB

const DAY_MS = 24 * 3_600_000

describe('S3Store', { skip: swiftMissing }, () => {
  let swift: TestSwift
  let folder: string
  let large: Buffer
  const sourceOf = async (bytes: Buffer | string): Promise<string> => {
    const path = join(folder, randomBytes(4).toString('hex'))
    await writeFile(path, bytes)
    return path
  }
  const uploadsIn = async (bucket: Bucket) => {
    const { Uploads } = await swift.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }))
    return (Uploads ?? []).map(({ Key }) => Key)
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-s3-'))
    swift = await TestSwift.start()
  })
  after(async () => {
    await swift?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  // The first, before the other tests have made this process large.
  it('holds a small part of a large file while it puts it', async () => {
    await using store = await S3Store.open(await swift.makeBucket('huge'))
    const path = join(folder, 'huge')
    const file = await open(path, 'w')
    await file.truncate(HUGE_FILE_BYTES)
    await file.close()
    await store.put('aa/warm', await sourceOf('loads what is loaded late'))
    const before = process.resourceUsage().maxRSS * 1024
    const stored = await store.put('aa/huge', path)
    const grown = process.resourceUsage().maxRSS * 1024 - before
    assert.equal(stored.sizeBytes, HUGE_FILE_BYTES)
    assert.ok(grown < MEMORY_BYTES, `grew by ${Math.round(grown / MIB)} MiB`)
    await rm(path)
  })

  describeStore('S3Store', async () => S3Store.open(await swift.makeBucket('contract')))
  describeStore('S3Store below a prefix', async () => S3Store.open(await swift.makeBucket('prefixed', 'team/videos')))

  it('puts a large file in parts that are one file again', async () => {
    await using store = await S3Store.open(await swift.makeBucket('large'))
    large = randomBytes(LARGE_FILE_BYTES)
    const stored = await store.put('aa/large', await sourceOf(large))
    assert.equal(stored.sizeBytes, LARGE_FILE_BYTES)
    assert.deepEqual(stored.sha256, createHash('sha256').update(large).digest())
    assert.deepEqual(await store.stat('aa/large'), { sizeBytes: LARGE_FILE_BYTES })
    assert.ok(large.equals(await buffer(await store.open('aa/large'))))
    // Across the seam of the first two parts.
    const span = { start: 8 * MIB - 10, end: 8 * MIB + 10 }
    assert.ok(large.subarray(span.start, span.end + 1).equals(await buffer(await store.open('aa/large', span))))
    await store.delete('aa/large')
    assert.equal(await store.stat('aa/large'), undefined)
  })

  it('takes a file of no bytes, and one of exactly one part', async () => {
    await using store = await S3Store.open(await swift.makeBucket('edges'))
    for (const bytes of [0, 8 * MIB]) {
      const content = randomBytes(bytes)
      assert.equal((await store.put('aa/edge', await sourceOf(content))).sizeBytes, bytes)
      assert.ok(content.equals(await buffer(await store.open('aa/edge'))))
    }
  })

  it('leaves no file and no parts when a part cannot be put', async () => {
    const bucket = await swift.makeBucket('broken')
    let refusals = 0
    await using gate = await Gate.open(swift.endpoint, ({ url = '' }) => {
      if (!url.includes('partNumber=3')) return undefined
      refusals += 1
      return 500
    })
    await using store = await S3Store.open({ ...bucket, endpoint: gate.url })
    await assert.rejects(
      store.put('aa/broken', await sourceOf(large)),
      /Writing aa\/broken in the bucket broken failed/,
    )
    assert.equal(refusals, 3)
    assert.equal(await store.stat('aa/broken'), undefined)
    assert.deepEqual(await uploadsIn(bucket), [])
  })

  it('bridges an error that passes', async () => {
    let refusals = 0
    await using gate = await Gate.open(swift.endpoint, ({ method }) => {
      if (method !== 'PUT' || refusals === 2) return undefined
      refusals += 1
      return 503
    })
    await using store = await S3Store.open({ ...(await swift.makeBucket('hiccup')), endpoint: gate.url })
    await store.put('aa/hiccup', await sourceOf('again'))
    assert.equal((await buffer(await store.open('aa/hiccup'))).toString(), 'again')
    assert.equal(refusals, 2)
  })

  it('lets go of the bucket when the reader leaves', async () => {
    await using gate = await Gate.open(swift.endpoint)
    await using store = await S3Store.open({ ...(await swift.makeBucket('left')), endpoint: gate.url })
    await store.put('aa/left', await sourceOf(large))
    const asked = once(gate.server, 'request')
    const stream = await store.open('aa/left')
    const [request]: IncomingMessage[] = await asked
    // Not `once`, which takes the broken connection for a failure.
    const gone = new Promise((resolve) => request?.socket.once('close', resolve))
    await once(stream, 'readable')
    stream.destroy()
    await gone
  })

  it('fails a reader whose file is cut off, so that nobody takes a part for the whole', async () => {
    await using gate = await Gate.open(swift.endpoint)
    await using store = await S3Store.open({ ...(await swift.makeBucket('cut')), endpoint: gate.url })
    await store.put('aa/cut', await sourceOf(large))
    const stream = await store.open('aa/cut')
    await once(stream, 'readable')
    gate.server.closeAllConnections()
    await assert.rejects(buffer(stream))
  })

  it('is refused with a wrong secret, and says so without showing any', async () => {
    const bucket = await swift.makeBucket('foreign')
    const credentials = {
      accessKeyId: 'reelay:tester',
      secretAccessKey: 'wrong-secret',
      sessionToken: 'token-of-session',
    }
    await assert.rejects(S3Store.open({ ...bucket, credentials }), (error) => {
      assert.ok(error instanceof BucketFault)
      assert.equal(error.code, 'SignatureDoesNotMatch')
      assert.match(error.message, /Looking into the bucket foreign failed with status 403: SignatureDoesNotMatch/)
      assert.doesNotMatch(
        inspect(error, { depth: 20, showHidden: true }),
        /wrong-secret|token-of-session|reelay:tester/,
      )
      return true
    })
  })

  it('refuses to open a bucket that is not there, and an address where nobody is', async () => {
    const bucket = await swift.makeBucket('there')
    await assert.rejects(S3Store.open({ ...bucket, name: 'not-there' }), /the bucket not-there failed .*NoSuchBucket/)
    const gate = await Gate.open(swift.endpoint)
    await gate[Symbol.asyncDispose]()
    await assert.rejects(S3Store.open({ ...bucket, endpoint: gate.url }), /the bucket there failed: ECONNREFUSED/)
  })

  it('opens where it may not list uploads', async () => {
    const denied = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>'
    await using gate = await Gate.open(
      swift.endpoint,
      ({ url }) => (url?.includes('uploads') ? 403 : undefined),
      denied,
    )
    await using store = await S3Store.open({ ...(await swift.makeBucket('denied')), endpoint: gate.url })
    await store.check()
  })

  it('aborts uploads that were begun more than a day ago, its own alone, when it is opened', async () => {
    const bucket = await swift.makeBucket('stale', 'ours')
    for (const Key of ['ours/aa/left', 'others/left']) {
      await swift.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key }))
    }
    await (await S3Store.open(bucket, Date.now() + DAY_MS - 60_000))[Symbol.asyncDispose]()
    assert.deepEqual(await uploadsIn(bucket), ['others/left', 'ours/aa/left'])
    await (await S3Store.open(bucket, Date.now() + DAY_MS + 60_000))[Symbol.asyncDispose]()
    assert.deepEqual(await uploadsIn(bucket), ['others/left'])
  })

  it('is what a configured bucket opens', async () => {
    const store = await openStore(await swift.makeBucket('configured'), folder)
    assert.ok(store instanceof S3Store)
    await store[Symbol.asyncDispose]()
  })
})

/** Stands between a store and Swift, and answers some requests itself, with a status. */
class Gate implements AsyncDisposable {
  readonly server: Server
  readonly url: string

  private constructor(server: Server, url: string) {
    this.server = server
    this.url = url
  }

  static async open(
    endpoint: string,
    answer: (request: IncomingMessage) => number | undefined = () => undefined,
    body = '',
  ): Promise<Gate> {
    const server = createServer((request, response) => {
      const status = answer(request)
      if (status !== undefined) {
        request.resume().once('end', () => response.writeHead(status).end(body))
        return
      }
      const { method, headers, url = '' } = request
      const onward = forward(`${endpoint}${url}`, { method: method ?? 'GET', headers, agent: false }, (found) => {
        response.writeHead(found.statusCode ?? 502, found.headers)
        found.pipe(response)
      })
      // Swift sends a body after the head of a HEAD, which is an error of a connection that is done.
      onward.on('error', () => response.headersSent || response.destroy())
      response.once('close', () => onward.destroy())
      request.pipe(onward)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no port')
    return new Gate(server, `http://127.0.0.1:${address.port}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.server.listening) return
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }
}
