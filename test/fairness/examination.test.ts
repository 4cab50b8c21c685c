/**
 * Places of examination are few: whatever files one account sends, and however many, it never has them all, and it does
 * not make the server itself grow.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { endlessWebm } from '../support/endless-webm.ts'
import { testPicture } from '../support/good-files.ts'
import { type Answer, startServer, type TestAccount, type TestServer } from '../support/server.ts'

/** As many uploads as an account may have under way at a time. */
const AT_A_TIME = 4

/** What a decoded picture of the largest size takes. */
const PICTURE_BYTES = 8192 * 6143 * 4

describe('an account that sends files that take all the time there is', () => {
  let server: TestServer
  let other: TestAccount
  let hostile: Buffer
  let small: Buffer
  before(async () => {
    server = await startServer()
    other = await server.createAccount({ credits: 100 })
    hostile = await endlessWebm()
    small = await testPicture().png().toBuffer()
  })
  after(() => server.stop())

  function upload(key: string, kind: 'image' | 'video', bytes: Buffer): Promise<Answer> {
    const form = new FormData()
    form.set('kind', kind)
    form.set('file', new Blob([new Uint8Array(bytes)]), kind)
    return sendForm(`${server.url}/api/v1/files`, key, form)
  }

  test('has one place of them at most: another account finds the other one free', async () => {
    // So that both places are warm, and what is compared is waiting alone.
    assert.equal((await upload(other.key, 'image', small)).status, 200)
    const ended: string[] = []
    const slow = Array.from({ length: AT_A_TIME }, async () => {
      const answer = await upload(server.key, 'video', hostile)
      ended.push('slow')
      return answer
    })
    for (let turn = 0; turn < 8; turn += 1) {
      const answer = await upload(other.key, 'image', small)
      assert.equal(answer.status, 200, answer.text)
      ended.push('small')
    }
    const before = ended.slice(0, ended.lastIndexOf('small')).filter((each) => each === 'slow')
    assert.ok(before.length <= 1, `${before.length} slow files were looked into before 8 small ones`)
    const answers = await Promise.all(slow)
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [400, 400, 400, 429], answers.map(({ text }) => text).join('\n'))
  })

  test('is refused for a while after several, with the time when to come again; another one is not', async () => {
    const refused = await upload(server.key, 'image', small)
    assert.equal(refused.status, 429, refused.text)
    assert.match(refused.text, /took too long to look into/)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await upload(other.key, 'image', small)).status, 200)
  })

  test('does not make the server hold the pixels that a few bytes claim', {
    skip: platform() !== 'linux',
  }, async () => {
    const [many, pid] = [await server.createAccount(), server.pid ?? 0]
    const before = mostResidentBytes(pid)
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await upload(many.key, 'image', hugeWebp())
      assert.equal(answer.status, 200, answer.text)
    }
    const grownBytes = mostResidentBytes(pid) - before
    assert.ok(grownBytes < PICTURE_BYTES / 2, `it grew by ${grownBytes / 1e6} MB`)
  })
})

/**
 * A lossless WebP of one colour and 8192 × 6143 pixels in 30 bytes: its sides less one in 14 bits each, no transform and no
 * cache, and five codes of one symbol, which takes no bit for a pixel.
 */
function hugeWebp(): Buffer {
  const bits: [value: number, bits: number][] = [
    [8191, 14],
    [6142, 14],
    [0, 4],
    [0, 3],
    ...Array(5).fill([1, 4]),
    [0, 9],
  ]
  let stream = 0n
  let length = 0n
  for (const [value, count] of bits) {
    stream |= BigInt(value) << length
    length += BigInt(count)
  }
  const file = Buffer.from(`RIFF\0\0\0\0WEBPVP8L\x09\0\0\0/${'\0'.repeat(9)}`, 'latin1')
  for (let at = 0; at < length / 8n; at += 1) file[21 + at] = Number((stream >> BigInt(8 * at)) & 0xffn)
  file.writeUInt32LE(file.length - 8, 4)
  return file
}

/** The most that a process has held since its start. */
function mostResidentBytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  assert.ok(kilobytes !== undefined)
  return Number(kilobytes) * 1024
}

async function sendForm(url: string, key: string, form: FormData): Promise<Answer> {
  const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: form })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, body: undefined }
}
