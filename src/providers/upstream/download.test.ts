/** A video behind a link: what a download that is taken up, or led on, comes to. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Answering, startReceiver } from '../../../test/support/receiver.ts'
import { fetchPolicy } from '../../media/fetch-policy.ts'
import { downloadAsset } from '../../tasks/download-asset.ts'
import { linkedVideo } from './download.ts'
import { Upstream } from './upstream.ts'

const LENGTH = 200_000
const FIRST = Buffer.alloc(LENGTH, 'first')
const SECOND = Buffer.alloc(LENGTH, 'second')

/** Half of the file, and an end: not before the half has been read, which else would be lost with the connection. */
function breakOff(response: ServerResponse): void {
  response.write(FIRST.subarray(0, LENGTH / 2))
  setTimeout(() => response.destroy(), 300)
}

async function downloaded(url: string, answers: Answering): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-download-'))
  try {
    await using server = await startReceiver(answers)
    await using upstream = new Upstream({ baseUrl: `${server.url}/v1`, apiKeys: [], timeoutMs: 5_000 })
    const asset = linkedVideo({ upstream, fetchPolicy: fetchPolicy([]), url, credential: undefined })
    assert.ok('download' in asset)
    const path = join(folder, 'video.mp4')
    await downloadAsset(asset, { path, signal: new AbortController().signal })
    return await readFile(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const [change, before, after] of [
  ['its tag', { etag: '"a"' }, { etag: '"b"' }],
  ['its weak tag', { etag: 'W/"a"' }, { etag: 'W/"b"' }],
  [
    'its date',
    { 'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT' },
    { 'last-modified': 'Sat, 21 Nov 2026 10:00:01 GMT' },
  ],
] as const) {
  test(`a download that breaks while the file is replaced, as ${change} shows, is of the new file alone`, async () => {
    const asked: (string | undefined)[] = []
    const bytes = await downloaded('/video.mp4', (request, response) => {
      const { range } = request.headers
      asked.push(range)
      if (asked.length === 1) {
        response.writeHead(200, { ...before, 'content-length': LENGTH })
        breakOff(response)
        return undefined
      }
      // Knows no `If-Range`.
      const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
      const part = from > 0 ? { 'content-range': `bytes ${from}-${LENGTH - 1}/${LENGTH}` } : {}
      response.writeHead(from > 0 ? 206 : 200, { ...after, ...part, 'content-length': LENGTH - from })
      response.end(SECOND.subarray(from))
      return undefined
    })
    assert.ok(bytes.equals(SECOND))
    assert.deepEqual(
      asked.map((range) => range !== undefined),
      [false, true, false],
    )
  })
}

test('a download that breaks asks for the rest of the very file', async () => {
  const conditions: unknown[] = []
  const bytes = await downloaded('/video.mp4', (request, response) => {
    const { range, 'if-range': condition } = request.headers
    conditions.push(condition)
    const headers = { etag: '"a"', 'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT', 'content-length': LENGTH }
    if (range === undefined) {
      response.writeHead(200, headers)
      breakOff(response)
      return undefined
    }
    const from = Number(/\d+/.exec(range)?.[0])
    const part = { 'content-range': `bytes ${from}-${LENGTH - 1}/${LENGTH}`, 'content-length': LENGTH - from }
    response.writeHead(206, { ...headers, ...part }).end(FIRST.subarray(from))
    return undefined
  })
  assert.ok(bytes.equals(FIRST))
  assert.deepEqual(conditions, [undefined, '"a"'])
})

test('a relative redirect leads on from where it was given', async () => {
  const paths: string[] = []
  await downloaded('/videos/7/content', ({ path }, response) => {
    paths.push(path)
    if (path.endsWith('/content')) response.writeHead(302, { location: 'file.mp4' }).end()
    else response.end(FIRST)
    return undefined
  })
  assert.deepEqual(paths, ['/v1/videos/7/content', '/v1/videos/7/file.mp4'])
})
