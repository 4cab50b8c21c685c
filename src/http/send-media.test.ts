import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { DiskStore } from '../media/disk-store.ts'
import type { ServedMedia } from '../media/queries.ts'
import type { ByteSpan } from '../media/store.ts'
import { sendMedia } from './send-media.ts'

const HUGE = 2 * 1024 ** 3

/**
 * What both ends of the transfer, in this one process, may hold at a time. Measured: 30–60 MB of buffers that wait for
 * the collector; with a file in memory it would be 2 GB.
 */
const MAX_GROWTH_BYTES = 200 * 1024 ** 2

/** Head of the answer. */
const MAX_HEAD_BYTES = 2_048

/** The slow client reads once when the fast one has got this many pieces. */
const SLOWNESS = 30

let folder: string
let app: FastifyInstance
let origin: string
const opened: Readable[] = []
/** What the store waits for before it opens a file. */
let gate: Promise<unknown> = Promise.resolve()
let asked: () => void = () => {}

describe('sendMedia', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-send-media-'))
    const disk = await DiskStore.open(folder)
    const store = {
      async open(key: string, span?: ByteSpan) {
        asked()
        await gate
        const file = await disk.open(key, span)
        opened.push(file)
        return file
      },
    }
    await mkdir(join(folder, 'aa'))
    await writeFile(join(folder, 'aa', 'huge.mp4'), '')
    // A hole takes no space on the disk.
    await truncate(join(folder, 'aa', 'huge.mp4'), HUGE)
    const media: ServedMedia = {
      storeKey: 'aa/huge.mp4',
      mimeType: 'video/mp4',
      sizeBytes: HUGE,
      sha256: Buffer.alloc(32),
      createdAt: new Date(0),
      state: 'kept',
    }
    app = fastify()
    app.get('/', (request, reply) => sendMedia({ request, reply, media, fileName: 'huge.mp4', store, secondsLeft: 60 }))
    origin = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(async () => {
    await app.close()
    await rm(folder, { recursive: true })
  })

  it('serves 2 GB to a fast and to a slow client in constant memory', async () => {
    opened.length = 0
    const slow = await begin()
    const before = process.memoryUsage.rss()
    let [pieces, peak] = [0, before]
    const received = await drain(() => {
      pieces += 1
      if (pieces % SLOWNESS !== 0) return
      slow.response.read()
      peak = Math.max(peak, process.memoryUsage.rss())
    })
    const [slowFile, fastFile] = opened
    assert.ok(slowFile && fastFile)
    assert.ok(received > HUGE && received < HUGE + MAX_HEAD_BYTES, `${received} bytes`)
    assert.ok(peak - before < MAX_GROWTH_BYTES, `memory grew by ${Math.round((peak - before) / 1024 ** 2)} MB`)
    const slowBytes = bytesRead(slowFile)
    assert.ok(slowBytes < HUGE / 4, `${slowBytes} bytes were read for the slow client`)
    const closed = once(slowFile, 'close')
    slow.call.destroy()
    await closed
    assert.equal(fastFile.destroyed, true)
  })

  it('serves the last byte of a huge file at once', async () => {
    const { response } = await begin({ range: 'bytes=-1' })
    assert.equal(response.statusCode, 206)
    assert.equal(response.headers['content-range'], `bytes ${HUGE - 1}-${HUGE - 1}/${HUGE}`)
    assert.equal((await response.toArray()).length, 1)
  })

  it('closes a file that was still being opened when the client left', async () => {
    opened.length = 0
    let open = () => {}
    gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const connection = once(app.server, 'connection')
    const call = request(origin).on('error', () => {})
    call.end()
    const [socket] = await connection
    await isAsked
    const left = once(socket, 'close')
    call.destroy()
    await left
    open()
    const file = await firstOpened()
    if (!file.closed) await once(file, 'close')
    assert.equal(file.destroyed, true)
  })
})

function bytesRead(file: Readable): number {
  return 'bytesRead' in file && typeof file.bytesRead === 'number' ? file.bytesRead : Number.NaN
}

async function firstOpened(): Promise<Readable> {
  for (;;) {
    const [file] = opened
    if (file !== undefined) return file
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A client that is as fast as it can be: it reads everything into one buffer. Returns how many bytes came. */
async function drain(onPiece: () => void): Promise<number> {
  let received = 0
  const { port, hostname } = new URL(origin)
  const onread = {
    buffer: Buffer.alloc(1024 ** 2),
    callback: (bytes: number) => {
      received += bytes
      onPiece()
      return true
    },
  }
  const socket = connect({ port: Number(port), host: hostname, onread })
  const closed = once(socket, 'close')
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  await closed
  return received
}

function begin(headers: Record<string, string> = {}): Promise<{ call: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const call = request(origin, { headers, agent: false }, (response) => {
      response.on('error', () => {})
      resolve({ call, response })
    })
    call.on('error', reject).end()
  })
}
