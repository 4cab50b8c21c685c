/** The Files API, and videos made from what was uploaded, as customers meet them. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { parseId, uuidOf } from '../../src/canonical/ids.ts'
import { REFERENCE_KINDS } from '../../src/canonical/reference.ts'
import { type BadFile, badFiles } from '../support/bad-files.ts'
import { goodFiles } from '../support/good-files.ts'
import { waitFor } from '../support/patience.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import {
  assertNoFaultLogged,
  assertRefused,
  cancel,
  create,
  credits,
  encoded,
  type File,
  fileOf,
  filePageOf,
  MINIMAL,
  upload,
  uploadForm,
  waitForStatus,
} from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'

const FILES = '/api/v1/files'
const GENERATIONS = '/api/v1/generations'
const UNKNOWN_ID = 'file_00000000000000000000000000000000'
const MIB = 1024 * 1024
const NOT_FOUND = { status: 404, code: 'not_found', says: ['There is no such file'] }
const invalid = (...says: (string | RegExp)[]) => ({ status: 400, code: 'validation_failed', says })

/** A picture of two colours, so that what is made of it can be told from what is drawn. */
function picture(width: number, height: number): Sharp {
  const half = { width: Math.floor(width / 2), height, channels: 3, background: '#0040ff' } as const
  return sharp({ create: { ...half, width, background: '#ff8000' } }).composite([
    { input: { create: half }, left: 0, top: 0 },
  ])
}

describe('files', () => {
  let server: TestServer
  let other: TestAccount
  let elsewhere: Receiver
  let folder: string
  let png: Buffer

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-uploads-'))
    png = await picture(320, 200).png().toBuffer()
    elsewhere = await startReceiver((_received, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).end(png)
      return undefined
    })
    server = await startServer({ credits: 1_000, env: { REELAY_ALLOW_NETS: '127.0.0.0/8' } })
    other = await server.createAccount({ credits: 100 })
  })
  after(async () => {
    await server.stop()
    await elsewhere[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** Nothing stays where files are received. */
  async function assertScratchEmpty(): Promise<void> {
    const scratch = join(server.dataDirectory, 'scratch', 'files')
    await waitFor('the scratch folder to be empty', async () =>
      (await readdir(scratch)).length === 0 ? true : undefined,
    )
  }

  test('of each documented type are measured, listed, and served as they were sent', async (t) => {
    const good = await goodFiles()
    assert.equal(good.length, 11)
    for (const { name, mimeType, bytes, width = null, height = null, durationSeconds } of good) {
      await t.test(name, async () => {
        const kind = mimeType.split('/')[0] ?? ''
        const before = await credits(server)
        const file = await upload(server, { bytes, kind, name, type: 'application/octet-stream' })
        assert.deepEqual(
          [file.kind, file.mime_type, file.size_bytes, file.name, file.width, file.height],
          [kind, mimeType, bytes.length, name, width, height],
        )
        assert.ok(Math.abs((file.duration_seconds ?? 0) - (durationSeconds ?? 0)) < 0.05, String(file.duration_seconds))
        const { duration_token: token, ...made } = file
        assert.equal(typeof token === 'string', durationSeconds !== undefined)
        assert.deepEqual(Buffer.from(await download(file.url)), bytes)
        const { duration_token: again, ...read } = fileOf(await server.ask('GET', `${FILES}/${file.id}`))
        assert.deepEqual([read, typeof again], [made, typeof token])
        assert.deepEqual(filePageOf(await server.ask('GET', `${FILES}?limit=1`)).data, [made])
        assert.equal(await credits(server), before, 'an upload costs nothing')
        await assertScratchEmpty()
      })
    }
  })

  test('of the same bytes are two files on one object', async () => {
    const { key } = await server.createAccount()
    const [one, two] = [
      await upload(server, { bytes: png, kind: 'image' }, { key }),
      await upload(server, { bytes: png, kind: 'image' }, { key }),
    ]
    assert.notEqual(one.id, two.id)
    const blobs = await server.withDatabase((pool) =>
      pool.query('select distinct blob_id from files where id = any($1)', [[one, two].map(({ id }) => uuid(id))]),
    )
    assert.equal(blobs.rowCount, 1)
    assert.equal((await server.ask('DELETE', `${FILES}/${one.id}`, { key })).status, 200)
    assert.deepEqual(Buffer.from(await download(two.url)), png)
  })

  test('are listed newest first, a page at a time, without those that were deleted or have expired', async () => {
    const { key } = await server.createAccount()
    const made: File[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      made.push(await upload(server, { bytes: png, kind: 'image', name }, { key }))
    const [, , c, d] = made
    await server.ask('DELETE', `${FILES}/${c?.id}`, { key })
    await expire(d?.id ?? '')
    const first = filePageOf(await server.ask('GET', `${FILES}?limit=2`, { key }))
    assert.deepEqual(
      first.data.map(({ name }) => name),
      ['e', 'b'],
    )
    const second = filePageOf(await server.ask('GET', `${FILES}?limit=2&cursor=${first.next_cursor}`, { key }))
    assert.deepEqual([second.data.map(({ name }) => name), second.next_cursor], [['a'], null])
    assertRefused(await server.ask('GET', `${FILES}/${d?.id}`, { key }), { ...NOT_FOUND, says: ['expired on'] })
  })

  test('are deleted once, and are gone for everybody then', async () => {
    const { id, url } = await upload(server, { bytes: png, kind: 'image' })
    const deleted = await server.ask('DELETE', `${FILES}/${id}`)
    assert.deepEqual([deleted.status, deleted.body], [200, { id, object: 'file', deleted: true }])
    assertRefused(await server.ask('DELETE', `${FILES}/${id}`), NOT_FOUND)
    assertRefused(await server.ask('GET', `${FILES}/${id}`), NOT_FOUND)
    assert.equal((await fetch(url)).status, 410)
  })

  test('of another account, unknown and malformed ids are all not found', async () => {
    const { id } = await upload(server, { bytes: png, kind: 'image' })
    for (const asked of [id, UNKNOWN_ID, 'file_x', `${id}0`, 'task_00000000000000000000000000000000', '%00']) {
      assertRefused(await server.ask('GET', `${FILES}/${asked}`, { key: other.key }), NOT_FOUND)
      assertRefused(await server.ask('DELETE', `${FILES}/${asked}`, { key: other.key }), NOT_FOUND)
    }
    assert.deepEqual(filePageOf(await server.ask('GET', `${FILES}?cursor=${id}`, { key: other.key })).data, [])
    assert.equal(fileOf(await server.ask('GET', `${FILES}/${id}`)).id, id)
  })

  for (const [query, ...says] of [
    ['limit=0', 'limit', '"0"', 'from 1 to 100'],
    ['limit=101', 'limit', '"101"', 'from 1 to 100'],
    ['cursor=task_1', 'cursor', '"task_1"', 'a next_cursor of this list'],
    ['status=failed', 'status', 'unknown', 'limit, cursor'],
  ] as const) {
    test(`are not listed with ${query}`, async () => {
      assertRefused(await server.ask('GET', `${FILES}?${query}`), invalid(...says))
    })
  }

  test('are uploaded as often as videos may be created, and read as often as anything may', async () => {
    const { key } = await server.createAccount({ requestsPerMinute: 2 })
    for (const left of ['1', '0']) {
      const answer = await server.ask('POST', FILES, { key, ...(await uploadForm({ bytes: png, kind: 'image' })) })
      assert.deepEqual([answer.status, answer.headers.get('x-ratelimit-remaining')], [200, left])
    }
    const refused = await server.ask('POST', FILES, { key, ...(await uploadForm({ bytes: png, kind: 'image' })) })
    assertRefused(refused, { status: 429, code: 'rate_limited', says: ['2 create requests'] })
    assert.equal(filePageOf(await server.ask('GET', FILES, { key })).data.length, 2)
    await assertScratchEmpty()
  })

  test('are refused once the account stores what its plan does, in uploads and in requests, and nothing is charged', async () => {
    const { key, accountId } = await server.createAccount({ credits: 100, plan: 'free' })
    const account = parseId('acct', accountId)
    assert.ok(account)
    await server.withDatabase((pool) =>
      pool.query(
        `insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes, stored_at)
         values (gen_random_uuid(), (select id from wallets where account_id = $1 and mode = 'live'), sha256('big'), 'files/big', 'video/mp4', 1024 * 1024 * 1024, now())`,
        [uuidOf(account)],
      ),
    )
    const says = ['0 MiB of the 1 GiB of its plan', 'after other files were deleted']
    const refused = await server.ask('POST', FILES, { key, ...(await uploadForm({ bytes: png, kind: 'image' })) })
    assertRefused(refused, invalid('file cannot be used', ...says))
    const params = {
      duration: 6,
      resolution: '480p',
      referenceMediaItems: [{ url: `${elsewhere.url}/a.png`, kind: 'image' }],
    }
    const body = { model: MINIMAL.model, prompt: MINIMAL.prompt, params }
    const field = 'params.referenceMediaItems.0.url'
    assertRefused(await server.ask('POST', GENERATIONS, { key, body }), invalid(field, ...says))
    assert.equal(await credits(server, { key }), 100)
    await assertScratchEmpty()
  })

  describe('that are refused', () => {
    const cases: readonly (readonly [
      name: string,
      fields: Record<string, string | Blob>,
      ...says: (string | RegExp)[],
    ])[] = [
      ['without a file', { kind: 'image' }, 'file is required', 'allowed: a file'],
      ['with a text in the place of the file', { kind: 'image', file: 'hello' }, 'file', '"hello"', 'allowed: a file'],
      ['without a kind', { file: new Blob(['x']) }, 'file cannot be used'],
      ['with an unknown field', { kind: 'image', colour: 'red' }, 'file is required'],
    ]
    for (const [name, fields, ...says] of cases) {
      test(name, async () => {
        const form = new FormData()
        for (const [field, value] of Object.entries(fields)) form.set(field, value)
        assertRefused(await server.ask('POST', FILES, await encoded(form)), invalid(...says))
        await assertScratchEmpty()
      })
    }

    const forms: readonly (readonly [name: string, change: (form: FormData) => void, ...says: string[]])[] = [
      [
        'without a kind beside a good file',
        (form) => form.delete('kind'),
        'kind is required',
        'one of image, video, audio',
      ],
      ['of an unknown kind', (form) => form.set('kind', 'text'), 'kind', '"text"', 'one of image, video, audio'],
      ['of a kind that the file is not', (form) => form.set('kind', 'video'), 'file', 'image/png', 'the kind video'],
      ['for an unknown model', (form) => form.set('model', 'sora'), 'model', '"sora"', 'one of grok-imagine-video'],
      ['with an unknown field', (form) => form.set('colour', 'red'), 'colour', 'unknown', 'file, kind, model'],
      ['with a client_request_id that is too long', (form) => form.set('client_request_id', 'x'.repeat(129)), '128'],
      [
        'with two files in one field',
        (form) => form.append('file', new Blob([new Uint8Array(png)])),
        'file was sent twice',
      ],
      ['with a second file', (form) => form.set('file2', new Blob([new Uint8Array(png)])), 'file2', 'unknown'],
    ]
    for (const [name, change, ...says] of forms) {
      test(name, async () => {
        const form = new FormData()
        form.set('kind', 'image')
        form.set('file', new Blob([new Uint8Array(png)]))
        change(form)
        assertRefused(await server.ask('POST', FILES, await encoded(form)), invalid(...says))
        await assertScratchEmpty()
      })
    }

    test('as anything but a form', async () => {
      const says = ['multipart/form-data']
      const forged = { kind: 'image', file: { filename: 'a', sha256: 'a'.repeat(64), size_bytes: 1 } }
      for (const ask of [{ body: forged }, { body: 'a', headers: { 'content-type': 'text/plain' } }]) {
        assertRefused(await server.ask('POST', FILES, ask), { status: 415, code: 'validation_failed', says })
      }
    })

    test('for a model that does not take their type, and taken for one that does', async () => {
      const bytes = await readFile(await writeTestVideo({ path: join(folder, 'model.mp4') }))
      const model = 'grok-imagine-video'
      const refused = await server.ask('POST', FILES, await uploadForm({ bytes, kind: 'video', model }))
      assertRefused(refused, invalid('file', 'video/mp4', 'image (image/jpeg, image/png, image/webp)'))
      assert.equal((await upload(server, { bytes: png, kind: 'image', model })).kind, 'image')
    })

    test('over the documented limit of an image, which is less than we could take', async () => {
      const noise = await sharp(Buffer.from(Array.from({ length: 3_000_000 }, () => Math.random() * 256)), {
        raw: { width: 1_000, height: 1_000, channels: 3 },
      })
        .resize(2_000, 2_000, { kernel: 'nearest' })
        .png({ compressionLevel: 0 })
        .toBuffer()
      assert.ok(noise.length > 10 * MIB && noise.length < 20 * MIB)
      const refused = await server.ask('POST', FILES, await uploadForm({ bytes: noise, kind: 'image' }))
      assertRefused(refused, invalid('file', `${noise.length} bytes`, 'at most 10485760 bytes'))
      await assertScratchEmpty()
    })

    test('by their bytes, whatever they say that they are', async (t) => {
      const bad: readonly BadFile[] = await badFiles()
      assert.ok(bad.length > 10)
      for (const { name, declaredType, bytes, says } of bad) {
        await t.test(name, async () => {
          const messages: string[] = []
          for (const kind of REFERENCE_KINDS) {
            const refused = await server.ask('POST', FILES, await uploadForm({ bytes, kind, type: declaredType }))
            assert.ok([400, 413].includes(refused.status), refused.text)
            assertRefused(refused, { ...invalid('file', 'allowed'), status: refused.status })
            messages.push(refused.text)
          }
          // Of a file that is broken or lies, whichever kind was stated; of a wrong kind, whatever is wrong beside it.
          assert.ok(
            messages.some((message) => says.test(message)),
            messages.join('\n'),
          )
        })
      }
      await assertScratchEmpty()
    })

    /** Sends the head of an upload; whoever calls goes on from there. */
    function begin(headers: string, start: Buffer): Socket {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      socket.on('error', () => {
        // Cut off by the server: what it answered was read before.
      })
      const head = `POST ${FILES} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\n`
      socket.write(`${head}content-type: multipart/form-data; boundary=x\r\n${headers}\r\n\r\n`)
      socket.write(start)
      return socket
    }
    const PART = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    test('while four others of the account are under way, until one of them has ended', async () => {
      const start = Buffer.concat([Buffer.from(PART), png.subarray(0, 500)])
      const sockets = [1, 2, 3, 4].map(() => begin(`content-length: ${MIB}`, start))
      const scratch = join(server.dataDirectory, 'scratch', 'files')
      const ask = async (key = server.key) =>
        server.ask('POST', FILES, { key, ...(await uploadForm({ bytes: png, kind: 'image' })) })
      try {
        await waitFor('four files to come in', async () => ((await readdir(scratch)).length === 4 ? true : undefined))
        const refused = await ask()
        assertRefused(refused, { status: 429, code: 'rate_limited', says: ['4 uploads under way'] })
        assert.equal(refused.headers.get('retry-after'), '10')
        assert.equal((await ask(other.key)).status, 200)
        sockets.pop()?.destroy()
        await waitFor('room for another', async () => ((await ask()).status === 200 ? true : undefined))
      } finally {
        for (const socket of sockets) socket.destroy()
      }
      await assertScratchEmpty()
    })

    test('as soon as they are too large, without reading the rest', async () => {
      const start = Buffer.concat([Buffer.from(PART), png])
      const socket = begin(`content-length: ${60 * MIB}`, start)
      let answer = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text
      })
      const more = Buffer.alloc(MIB)
      let sentMib = 0
      while (answer === '' && sentMib < 59 && !socket.destroyed) {
        sentMib += 1
        if (!socket.write(more)) {
          await waitFor('the server to take more, or to answer', () =>
            answer !== '' || socket.destroyed || !socket.writableNeedDrain ? true : undefined,
          )
        }
      }
      await waitFor('the answer', () => (answer.includes('\r\n\r\n{') ? true : undefined))
      assert.match(answer, /^HTTP\/1\.1 413 .*connection: close.*file cannot be used: .*20 MiB/is)
      assert.ok(sentMib >= 20 && sentMib < 45, `${sentMib} MiB were taken`)
      socket.destroy()
      await assertScratchEmpty()
    })

    test('before they are read when the request is larger than any file may be', async () => {
      const socket = begin(`content-length: ${500 * MIB}`, Buffer.from(PART))
      let answer = ''
      for await (const text of socket.setEncoding('utf8')) answer += text
      assert.match(answer, /^HTTP\/1\.1 413 .*connection: close.*validation_failed.*67108864 bytes/is)
    })

    test('when their sender leaves, without a trace', async () => {
      const scratch = join(server.dataDirectory, 'scratch', 'files')
      const socket = begin(`content-length: ${MIB}`, Buffer.concat([Buffer.from(PART), png.subarray(0, 500)]))
      await waitFor('the file to come in', async () => ((await readdir(scratch)).length > 0 ? true : undefined))
      socket.destroy()
      await assertScratchEmpty()
    })
  })

  describe('as references of a video', () => {
    const withReference = (url: string, change: Record<string, unknown> = {}, prompt = MINIMAL.prompt) => ({
      model: MINIMAL.model,
      prompt,
      params: { duration: 6, resolution: '480p', referenceMediaItems: [{ url, kind: 'image', ...change }] },
    })

    test('uploaded: the video begins with the picture, in the ratio that was asked for', async () => {
      const { key } = await server.createAccount({ credits: 10 })
      const { url } = await upload(server, { bytes: png, kind: 'image' }, { key })
      const body = withReference(url)
      const made = await create(server, { ...body, params: { ...body.params, aspect_ratio: '1:1' } }, { key })
      const done = await waitForStatus(server, made.id, ['succeeded', 'failed'], { key })
      assert.equal(done.status, 'succeeded', JSON.stringify(done.error))
      assert.equal(await credits(server, { key }), 0)
      const { width, height, durationSeconds } = await readVideoFile(await download(done.result?.primary_url ?? ''))
      assert.deepEqual({ width, height, durationSeconds }, { width: 480, height: 480, durationSeconds: 6 })
    })

    test('elsewhere: fetched once, before anything is charged', async () => {
      const before = elsewhere.received.length
      const { id } = await create(server, withReference(`${elsewhere.url}/a.png`, {}, 'sandbox:slow=600'), {
        key: other.testKey,
      })
      assert.equal(elsewhere.received.length, before + 1)
      await cancel(server, id, { key: other.testKey })
      await assertScratchEmpty()
    })

    test('in a data URI of megabytes', async () => {
      const large = await picture(1_800, 1_300).png({ compressionLevel: 0 }).toBuffer()
      const url = `data:image/png;base64,${large.toString('base64')}`
      assert.ok(url.length > 10 * MIB)
      const { id } = await create(server, withReference(url, {}, 'sandbox:slow=600'), { key: other.testKey })
      await cancel(server, id, { key: other.testKey })
    })

    /** No reference that cannot be used costs anything or makes a task. */
    async function assertRefusedWithoutCharge(url: string, ...says: (string | RegExp)[]): Promise<void> {
      const before = await credits(server)
      const answer = await server.ask('POST', GENERATIONS, { body: withReference(url) })
      assert.ok([400, 404].includes(answer.status), answer.text)
      const code = answer.status === 404 ? 'not_found' : 'validation_failed'
      assertRefused(answer, { status: answer.status, code, says: ['params.referenceMediaItems.0.url', ...says] })
      assert.equal(await credits(server), before)
    }

    test('that have expired, that were deleted, or that are another account’s are refused before any charge', async () => {
      const [expired, deleted] = [
        await upload(server, { bytes: png, kind: 'image' }),
        await upload(server, { bytes: png, kind: 'image' }),
      ]
      const strange = await upload(server, { bytes: png, kind: 'image' }, { key: other.key })
      await expire(expired.id)
      await server.ask('DELETE', `${FILES}/${deleted.id}`)
      await assertRefusedWithoutCharge(expired.url, 'expired')
      await assertRefusedWithoutCharge(deleted.url)
      await assertRefusedWithoutCharge(strange.url)
    })

    test('that are not there, or are no picture, are refused before any charge', async () => {
      await using broken = await startReceiver((received, response) => {
        if (received.path === '/missing.png') return 404
        response.writeHead(200, { 'content-type': 'image/png' }).end('<svg xmlns="http://www.w3.org/2000/svg"/>')
        return undefined
      })
      await assertRefusedWithoutCharge(`${broken.url}/missing.png`, '404')
      await assertRefusedWithoutCharge(`${broken.url}/a.png`, /SVG/i, 'allowed')
    })

    test('are what the list of models says', async () => {
      const answer = await server.ask('GET', '/api/v1/models', { key: null })
      assert.match(
        answer.text,
        /"reference_media":\{"key":"referenceMediaItems","max_items":1,"kinds":\[\{"kind":"image","max_bytes":10485760/,
      )
      assert.match(answer.text, /"api_input_status":"available_url_input","supported_api_inputs":\["text","url"\]/)
      assert.match(answer.text, /"url_input_supported":true,"file_kinds":\["image"\]/)
    })
  })

  test('logged no failure of its own for any of it', () => {
    assertNoFaultLogged(server)
  })

  function uuid(id: string): string {
    const parsed = parseId('file', id)
    assert.ok(parsed, id)
    return uuidOf(parsed)
  }

  /** Lets the time of a file be over. */
  async function expire(id: string): Promise<void> {
    await server.withDatabase((pool) =>
      pool.query("update files set expires_at = now() - interval '1 second' where id = $1", [uuid(id)]),
    )
  }
})
