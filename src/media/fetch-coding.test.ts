import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import zlib from 'node:zlib'
import { type Receiver, startReceiver } from '../../test/support/receiver.ts'
import { FetchError, type FetchErrorReason } from './fetch-error.ts'
import { fetchPolicy } from './fetch-policy.ts'
import { TrustedHost } from './fetch-trusted.ts'
import { fetchUntrusted } from './fetch-untrusted.ts'

const TEXT = 'words, words, words; '.repeat(10_000)

const MAX_BYTES = 1_000_000

/** Both ways to a body, which owe the same. */
const WAYS: Readonly<Record<string, (server: Receiver) => Promise<Buffer>>> = {
  'an untrusted host': async ({ url }) => {
    const request = { method: 'GET', url, timeoutMs: 10_000, maxBytes: MAX_BYTES } as const
    await using answer = await fetchUntrusted(request, fetchPolicy(['127.0.0.0/8']))
    return await collected(answer.body)
  },
  'a trusted host': async ({ url }) => {
    await using host = new TrustedHost(url)
    await using answer = await host.read({ method: 'GET', path: '/', timeoutMs: 10_000, maxBytes: MAX_BYTES })
    return await collected(answer.body)
  },
}

async function collected(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const twice = zlib.brotliCompressSync(zlib.gzipSync(TEXT))

const UNDONE: readonly (readonly [coding: string, body: Buffer])[] = [
  ['gzip', zlib.gzipSync(TEXT)],
  ['x-gzip', zlib.gzipSync(TEXT)],
  ['GZIP', zlib.gzipSync(TEXT)],
  ['gzip', Buffer.concat([zlib.gzipSync(TEXT.slice(0, 99)), zlib.gzipSync(TEXT.slice(99))])],
  ['deflate', zlib.deflateSync(TEXT)],
  ['deflate', zlib.deflateRawSync(TEXT)],
  ['br', zlib.brotliCompressSync(TEXT)],
  ['gzip, br', twice],
  ['identity, gzip , br', twice],
  ['identity', Buffer.from(TEXT)],
  ['', Buffer.from(TEXT)],
]

const FAILING: readonly (readonly [what: string, coding: string, body: Buffer, reason: FetchErrorReason, RegExp])[] = [
  ['a bomb', 'gzip', zlib.gzipSync(Buffer.alloc(50 * MAX_BYTES)), 'too_large', /larger than 1000000 bytes/],
  [
    'a bomb whose layers come to nothing',
    'gzip, br',
    // Two million empty members: 40 MB between the layers, and not one byte in the end.
    zlib.brotliCompressSync(Buffer.alloc(2_000_000 * zlib.gzipSync('').length, zlib.gzipSync(''))),
    'too_large',
    /larger than 1000000 bytes/,
  ],
  ['a body that is cut off', 'gzip', zlib.gzipSync(TEXT).subarray(0, -20), 'bad_answer', /not whole gzip/],
  ['a body that is cut off', 'br', zlib.brotliCompressSync(TEXT).subarray(0, -5), 'bad_answer', /not whole br/],
  ['a body that is none', 'deflate', Buffer.from('{"plain": true}'), 'bad_answer', /not whole deflate/],
  ['a body that is none', 'gzip', Buffer.from('{"plain": true}'), 'bad_answer', /not whole gzip/],
  ['a coding that is not known', 'compress', Buffer.from('x'), 'bad_answer', /coding "compress".*known: gzip/],
  ['too many codings', 'gzip, gzip, gzip', zlib.gzipSync(TEXT), 'bad_answer', /3 content codings/],
]

for (const [from, read] of Object.entries(WAYS)) {
  describe(`a body from ${from}`, () => {
    const answering = (coding: string, body: Buffer) =>
      startReceiver((_, response) => {
        response.writeHead(200, { 'content-encoding': coding, 'content-length': body.length }).end(body)
        return undefined
      })

    test('is plain, whatever it came as', async () => {
      for (const [coding, body] of UNDONE) {
        await using server = await answering(coding, body)
        assert.equal((await read(server)).toString(), TEXT, coding)
        assert.equal(server.received[0]?.headers['accept-encoding'], 'identity')
      }
    })

    test('is plain where Node knows zstd, and else fails with the name of the coding', async () => {
      // One raw block, as RFC 8878 lays it down: a single segment of 5 bytes.
      const body = Buffer.concat([Buffer.from('28b52ffd2005290000', 'hex'), Buffer.from('hello')])
      await using server = await answering('zstd', body)
      if ('createZstdDecompress' in zlib) assert.equal((await read(server)).toString(), 'hello')
      else await fails(read(server), 'bad_answer', /coding "zstd", which is not known here/)
    })

    test('may be empty under any name', async () => {
      for (const coding of ['gzip', 'br', 'deflate']) {
        await using server = await answering(coding, Buffer.alloc(0))
        assert.equal((await read(server)).length, 0)
      }
    })

    for (const [what, coding, body, reason, message] of FAILING) {
      test(`fails as ${coding} for ${what}`, async () => {
        await using server = await answering(coding, body)
        await fails(read(server), reason, message)
      })
    }
  })
}

async function fails(reading: Promise<unknown>, reason: FetchErrorReason, message: RegExp): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof FetchError, String(error))
    assert.equal(error.reason, reason)
    assert.match(error.message, message)
    return true
  })
}
