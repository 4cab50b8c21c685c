/** A server whose media lie in a bucket, and commands beside it. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts'
import { runCli, startServer, type TestServer } from '../support/server.ts'
import { SWIFT_KEY, SWIFT_SECRET, swiftMissing, TestSwift } from '../support/swift.ts'
import { create, MINIMAL, waitForStatus } from './rivya.ts'

/** Far beyond the seconds after which a read is given up, and short of the minute and more that a client would not wait. */
const HANG_MS = 60_000

describe('a server with a bucket', { skip: swiftMissing }, () => {
  let swift: TestSwift
  let server: TestServer
  let line: CuttingProxy
  let env: Record<string, string>
  before(async () => {
    swift = await TestSwift.start()
    line = await startCuttingProxy()
    line.connect(swift.endpoint)
    await swift.makeBucket('media')
    env = {
      REELAY_STORE: 's3://media/reelay',
      REELAY_S3_ENDPOINT: line.url,
      AWS_ACCESS_KEY_ID: SWIFT_KEY,
      AWS_SECRET_ACCESS_KEY: SWIFT_SECRET,
    }
    server = await startServer({ env })
  })
  after(async () => {
    await server?.stop()
    await line?.[Symbol.asyncDispose]()
    await swift?.[Symbol.asyncDispose]()
  })

  test('keeps a video there and nothing on its disk, and serves it whole and in part by its own link', async () => {
    const { id } = await create(server, MINIMAL)
    const { result } = await waitForStatus(server, id, ['succeeded'])
    const url = result?.primary_url ?? ''
    assert.ok(url.startsWith(server.url))
    const whole = await fetch(url)
    assert.equal(whole.status, 200)
    const video = Buffer.from(await whole.arrayBuffer())
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
    assert.equal(part.status, 206)
    assert.ok(video.subarray(100, 200).equals(Buffer.from(await part.arrayBuffer())))
    const { Contents } = await swift.client.send(new ListObjectsV2Command({ Bucket: 'media' }))
    const names = (Contents ?? []).map(({ Key = '' }) => Key)
    assert.ok(names.every((name) => name.startsWith('reelay/')))
    assert.equal((Contents ?? []).find(({ Key }) => Key?.endsWith('/video.mp4'))?.Size, video.length)
    assert.deepEqual(await readdir(join(server.dataDirectory, 'media')), [])
  })

  test('doctor says why the bucket cannot be used and what to look at, and shows no secret', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', '--json'], {
      ...server.env,
      AWS_SECRET_ACCESS_KEY: 'another-secret',
    })
    assert.equal(code, 1)
    const { ok, found, advice } = storeCheckOf(stdout)
    assert.equal(ok, false)
    assert.match(found, /the bucket media failed with status 403: SignatureDoesNotMatch/)
    assert.match(advice, /REELAY_STORE/)
    assert.doesNotMatch(stdout + stderr, /another-secret/)
  })

  test('refuses to start on a bucket that it may not use, and shows no secret', async () => {
    const { code, stdout, stderr } = await runCli(['serve', '--json'], {
      ...server.env,
      REELAY_PORT: '0',
      AWS_SECRET_ACCESS_KEY: 'another-secret',
    })
    assert.equal(code, 1)
    assert.match(stdout + stderr, /the bucket media failed with status 403: SignatureDoesNotMatch/)
    assert.doesNotMatch(stdout + stderr, /another-secret/)
  })

  test('says that it is unavailable, and when to come again, while the bucket hangs', {
    timeout: HANG_MS,
  }, async () => {
    const { id } = await create(server, MINIMAL)
    const { result } = await waitForStatus(server, id, ['succeeded'])
    line.hang()
    const answer = await fetch(result?.primary_url ?? '')
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.match(await answer.text(), /media store is unavailable/)
  })
})

function storeCheckOf(stdout: string): { ok: boolean; found: string; advice: string } {
  const { checks }: { checks: { name: string; ok: boolean; found: string; advice: string }[] } = JSON.parse(stdout)
  const check = checks.find(({ name }) => name === 'store')
  assert.ok(check !== undefined)
  return check
}
