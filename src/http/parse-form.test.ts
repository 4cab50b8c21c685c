import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { waitFor } from '../../test/support/patience.ts'
import { lingerIfUnread } from './linger.ts'
import { takeForms, takeFormsOnly } from './parse-form.ts'
import { receivedFilesOf } from './received-files.ts'
import { refusalOf } from './refusal-of.ts'

const MIB = 1024 * 1024

/** As much of a PNG as tells what it is. */
const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex'),
  Buffer.alloc(200_000, 7),
])

describe('a form', () => {
  let app: FastifyInstance
  let scratch: string
  let port: number

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'reelay-forms-'))
    app = fastify()
    app.addHook('onSend', async (request, reply) => lingerIfUnread(request, reply))
    app.setErrorHandler((error, _request, reply) => {
      const { code, message } = refusalOf(error)
      return reply.code(code === 'body_too_large' ? 413 : 400).send({ code, message })
    })
    app.register(async (forms) => {
      takeForms(forms, { scratch })
      const handler = async (request: Parameters<typeof receivedFilesOf>[0]) => {
        await using files = receivedFilesOf(request)
        const received = await Promise.all(
          [...files.values()].map(async ({ path, ...about }) => ({ ...about, whole: await readFile(path, 'hex') })),
        )
        return { body: request.body, received }
      }
      forms.post('/files', { config: { takesFiles: true } }, handler)
      forms.post('/fields', handler)
    })
    app.register(async (forms) => {
      takeFormsOnly(forms, { scratch })
      forms.post('/forms-only', async () => ({}))
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const address = app.server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  after(async () => {
    await app.close()
    await rm(scratch, { recursive: true })
  })

  const field = (name: string, value: string) =>
    Buffer.from(`--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
  const head = (disposition: string) =>
    Buffer.from(
      `--x\r\ncontent-disposition: form-data; ${disposition}\r\ncontent-type: application/octet-stream\r\n\r\n`,
    )
  const file = (name: string, filename: string, bytes: Buffer) =>
    Buffer.concat([head(`name="${name}"; filename="${filename}"`), bytes, Buffer.from('\r\n')])
  const END = Buffer.from('--x--\r\n')
  const FORM = { 'content-type': 'multipart/form-data; boundary=x' }

  async function send(path: string, ...parts: Buffer[]): Promise<{ status: number; answer: Record<string, unknown> }> {
    const body = Buffer.concat(parts)
    const answered = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: FORM, body })
    return { status: answered.status, answer: (await answered.json()) as Record<string, unknown> }
  }

  async function assertNothingLeft(): Promise<void> {
    await waitFor('the scratch folder to be empty', async () =>
      (await readdir(scratch)).length === 0 ? true : undefined,
    )
  }

  test('brings a file to the scratch folder, whole, where it stays until its request is answered', async () => {
    const sent = [field('kind', 'image'), file('file', 'été.png', PNG), field('model', 'm'), END]
    const { status, answer } = await send('/files', ...sent)
    const sha256 = createHash('sha256').update(PNG).digest('hex')
    assert.equal(status, 200)
    assert.deepEqual(answer['body'], {
      kind: 'image',
      file: { filename: 'été.png', sha256, size_bytes: PNG.length },
      model: 'm',
    })
    const about = { kind: 'image', mimeType: 'image/png', ending: 'png', name: 'été.png' }
    assert.deepEqual(answer['received'], [{ ...about, sizeBytes: PNG.length, sha256, whole: PNG.toString('hex') }])
    await assertNothingLeft()
  })

  test('has its files read past where none are taken', async () => {
    const { answer } = await send('/fields', file('file', 'a.png', PNG), END)
    assert.deepEqual(answer, { body: { file: { filename: 'a.png' } }, received: [] })
  })

  const UNENDED = /^The form cannot be read: the boundary that ends it is missing\.$/
  /** What is sent for a file by a client that gives neither its name nor its type. */
  const asText = (bytes: Buffer) =>
    Buffer.concat([
      Buffer.from('--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n'),
      bytes,
      Buffer.from('\r\n'),
    ])

  const refused: readonly (readonly [name: string, parts: Buffer[], status: number, says: RegExp])[] = [
    ['with a file twice', [file('file', 'a', PNG), file('file', 'b', PNG), END], 400, /file was sent twice/],
    ['with a file and a field of one name', [file('a', 'a', PNG), field('a', 'b'), END], 400, /a was sent twice/],
    ['with five files', [...'abcde'].map((name) => file(name, name, PNG)).concat(END), 413, /more than 4 files/],
    ['with an empty file', [file('file', 'a.png', Buffer.alloc(0)), END], 400, /file cannot be used: .*empty.*allowed/],
    ['with a file of no known type', [file('file', 'a.png', Buffer.from('hello')), END], 400, /file cannot be used/],
    ['with a file without a name', [head('filename="a.png"'), PNG, Buffer.from('\r\n'), END], 400, /without a name/],
    [
      'with a field without a name',
      [Buffer.from('--x\r\ncontent-disposition: form-data\r\n\r\na\r\n'), END],
      400,
      /name/,
    ],
    ['that ends within a file', [head('name="file"; filename="a.png"'), PNG], 400, UNENDED],
    ['that ends within the head of a file', [head('name="file"; filename="a.png"').subarray(0, 40)], 400, UNENDED],
    ['without an end', [file('file', 'a.png', PNG)], 400, UNENDED],
    ['with fields and without an end', [field('a', 'b')], 400, UNENDED],
    ['that never begins', [Buffer.from('nothing of the kind')], 400, UNENDED],
    ['of no bytes', [], 400, /^The form cannot be read: it is empty\.$/],
    [
      'with a file that its part gives no name',
      [field('kind', 'image'), asText(PNG.subarray(0, 1000)), END],
      400,
      /^The field file is read as a text, for its part has no file name, and is not UTF-8\.$/,
    ],
    [
      'with a large file without a name',
      [asText(PNG), END],
      413,
      /file is read as a text, .* too large; allowed: 65536/,
    ],
    [
      'with a NUL in a field',
      [asText(Buffer.from('a\0b')), END],
      400,
      /^file cannot be used: .* NUL; allowed: .*NUL\.$/,
    ],
    ['with a NUL in a file name', [file('file', 'a\0b', PNG), END], 400, /file cannot be "a.*b".*without NUL/],
  ]
  for (const [name, parts, status, says] of refused) {
    test(`${name} is refused, and leaves nothing behind`, async () => {
      const refusal = await send('/files', ...parts)
      assert.equal(refusal.status, status, JSON.stringify(refusal.answer))
      assert.match(String(refusal.answer['message']), says)
      await assertNothingLeft()
    })
  }

  test('takes a file part that has no file name', async () => {
    const { status, answer } = await send('/files', head('name="file"'), PNG, Buffer.from('\r\n'), END)
    assert.equal(status, 200, JSON.stringify(answer))
  })

  test('is all that a route for uploads takes', async () => {
    for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'text/plain' }]) {
      const answered = await fetch(`http://127.0.0.1:${port}/forms-only`, { method: 'POST', headers, body: '{}' })
      assert.match(await answered.text(), /unsupported_media_type.*multipart\/form-data/)
    }
  })

  /** Sends the head of a request and then whatever is asked for, for as long as the server takes it. */
  function open(headers: string): Socket {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {
      // The server has closed the connection: what it answered was read before.
    })
    socket.write(`POST /files HTTP/1.1\r\nhost: x\r\ncontent-type: ${FORM['content-type']}\r\n${headers}\r\n\r\n`)
    return socket
  }

  const chunked = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

  /** Reads until the server ends the connection. */
  async function answerOf(socket: Socket): Promise<string> {
    let text = ''
    for await (const part of socket.setEncoding('utf8')) text += part
    return text
  }

  test('is answered and left unread as soon as a file exceeds the limit of its kind', async () => {
    const socket = open('transfer-encoding: chunked')
    const answer = answerOf(socket)
    socket.write(chunked(Buffer.concat([head('name="file"; filename="a.png"'), PNG])))
    const more = chunked(Buffer.alloc(MIB, 7))
    let sentMib = 0
    const pump = () => {
      while (sentMib < 200 && socket.writable) {
        sentMib += 1
        if (!socket.write(more)) return socket.once('drain', pump)
      }
      return undefined
    }
    pump()
    assert.match(await answer, /^HTTP\/1\.1 413 .*connection: close.*file cannot be used.*more than 20 MiB/is)
    assert.ok(sentMib >= 20 && sentMib < 60, `${sentMib} MiB were taken`)
    await assertNothingLeft()
    socket.destroy()
  })

  test('is refused before it is read when its Content-Length is too large', async () => {
    const socket = open(`content-length: ${100 * MIB}`)
    assert.match(await answerOf(socket), /^HTTP\/1\.1 413 .*connection: close.*67108864 bytes/is)
    socket.destroy()
  })

  test('whose client leaves in the midst of a file leaves nothing behind', async () => {
    const socket = open(`content-length: ${10 * MIB}`)
    socket.write(Buffer.concat([head('name="file"; filename="a.png"'), PNG]))
    await waitFor('the file to come in', async () => ((await readdir(scratch)).length === 1 ? true : undefined))
    socket.destroy()
    await assertNothingLeft()
  })
})
