import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import sharp from 'sharp'
import { newTask } from '../../../test/faults/workshop.ts'
import { type FilesDesk, openFilesDesk } from '../../../test/support/files-desk.ts'
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts'
import { writeTestVideo } from '../../../test/support/test-video.ts'
import { idOf, newId, type TaskId, uuidOf } from '../../canonical/ids.ts'
import type { AskedReference, Reference, ReferenceOrigin } from '../../canonical/reference.ts'
import { Refusal, type RefusalCode } from '../../canonical/refusal.ts'
import { grant } from '../../ledger/grant.ts'
import { type FetchPolicy, fetchPolicy } from '../../media/fetch-policy.ts'
import { type LinkedFile, MediaLinks } from '../../media/links.ts'
import { cancelQueued } from '../../tasks/queries.ts'
import { Submitter } from '../../tasks/submit.ts'
import type { DurationClaims } from '../duration-token.ts'
import { examineFile } from '../examine/examine-file.ts'
import { keepFile } from '../keep/keep-file.ts'
import type { KeptFile } from '../kept-file.ts'
import { receiveFile } from '../receive/receive-file.ts'
import type { ReceivedFile } from '../received-file.ts'
import { type Resolution, resolveReferences } from './resolve-references.ts'

type Owner = Awaited<ReturnType<FilesDesk['account']>>

const LOOPBACK = fetchPolicy(['127.0.0.0/8'])
const NOWHERE_PRIVATE = fetchPolicy([])
let desk: FilesDesk
let owner: Owner
let stranger: Owner
let png: Buffer
let video: Buffer
let fileServer: Receiver

interface Change extends Partial<Omit<Resolution, 'account' | 'wallet'>> {
  readonly by?: Owner
  readonly policy?: FetchPolicy
  readonly declared?: AskedReference['declared']
}

function asking(origin: ReferenceOrigin, change: Partial<AskedReference> = {}): AskedReference {
  return { role: 'reference', field: 'image.url', origin, ...change }
}

function resolve(asked: readonly AskedReference[], change: Change = {}): Promise<Reference[]> {
  const { by = owner, policy = NOWHERE_PRIVATE, uploads = new Map(), signal = new AbortController().signal } = change
  const context = { ...desk.context, fetchPolicy: policy }
  return resolveReferences(context, { owner: by, asked, uploads, signal })
}

async function resolveOne(origin: ReferenceOrigin, { declared, ...change }: Change = {}): Promise<Reference> {
  const [reference] = await resolve([asking(origin, declared === undefined ? {} : { declared })], change)
  assert.ok(reference !== undefined)
  return reference
}

/** What `resolveOne` is refused with; checks that the sentence names the field, and that nothing is left behind. */
async function refusal(
  origin: ReferenceOrigin,
  code: RefusalCode,
  message: RegExp,
  change: Change = {},
): Promise<Refusal> {
  const error = await resolveOne(origin, change).then(
    () => assert.fail(`it was taken: ${JSON.stringify(origin).slice(0, 100)}`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Refusal, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  assert.match(error.message, /^image\.url .*; allowed: .+\.$/)
  assert.equal(error.detail?.field, 'image.url')
  assert.deepEqual(await readdir(desk.context.scratch), [])
  return error
}

function bytesAs(content: Buffer, name = 'a.bin'): Promise<ReceivedFile> {
  return receiveFile(chunksOf(content), { directory: desk.folder, name })
}

async function* chunksOf(content: Buffer): AsyncGenerator<Buffer> {
  yield content
}

async function uploaded(content: Buffer, by = owner): Promise<KeptFile> {
  const file = await examineFile(await bytesAs(content), { account: by.account })
  return await keepFile(desk.context, { owner: by, purpose: 'upload', file })
}

async function queuedTask(by = owner): Promise<TaskId> {
  const task = newTask(by.wallet, 'sea')
  assert.equal((await new Submitter(desk.pool).submit(task)).kind, 'created')
  return task.id
}

/** A task that has succeeded with this video. */
async function finishedTask(content: Buffer, by = owner): Promise<{ id: TaskId; link: LinkedFile }> {
  const id = await queuedTask(by)
  const { path } = await bytesAs(content)
  const media = {
    id: uuidOf(newId('med')),
    kind: 'video',
    store_key: `aa/${uuidOf(id)}/video.mp4`,
    mime_type: 'video/mp4',
    size_bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    width: 160,
    height: 90,
    duration_seconds: 2,
    keep_seconds: 3600,
  }
  await desk.store.put(media.store_key, path)
  await desk.pool.query(`select settle_task($1, null, array['queued'], 'succeeded', 10, null, null, $2)`, [
    uuidOf(id),
    JSON.stringify([media]),
  ])
  const expiresAt = new Date(Date.now() + 3_600_000)
  return { id, link: { id: idOf('med', media.id), mimeType: 'video/mp4', expiresAt } }
}

/** A PNG, at 16:9, of a pattern, so that it is not all headers. */
function picture(width: number): Promise<Buffer> {
  const raw = { width, height: Math.round((width * 9) / 16), channels: 3 } as const
  const pixels = Buffer.from(
    Array.from({ length: raw.width * raw.height * 3 }, (_, n) => (n * 31 + (n >> 5) * 7) & 0xff),
  )
  return sharp(pixels, { raw }).png().toBuffer()
}

async function endFile({ id }: KeptFile): Promise<void> {
  await desk.pool.query("update files set expires_at = now() - interval '1 minute' where id = $1", [uuidOf(id)])
}

async function filesOf({ wallet }: Owner): Promise<number> {
  const { rowCount } = await desk.pool.query('select from files where wallet_id = $1', [wallet])
  return rowCount ?? 0
}

async function storedBytes({ storeKey }: { readonly storeKey: string }): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of await desk.store.open(storeKey)) parts.push(part)
  return Buffer.concat(parts)
}

before(async () => {
  desk = await openFilesDesk()
  png = await picture(320)
  video = await readFile(await writeTestVideo({ path: join(desk.folder, 'video.mp4') }))
  fileServer = await startReceiver(({ path }, response) => {
    const found: Readonly<Record<string, Buffer>> = { '/a%20picture.png': png, '/video.mp4': video }
    const bytes = found[path]
    if (bytes === undefined) return 404
    response.end(bytes)
    return undefined
  })
})
beforeEach(async () => {
  owner = await desk.account()
  stranger = await desk.account()
  for (const { wallet } of [owner, stranger]) await grant(desk.pool, wallet, 1_000n)
  fileServer.received.length = 0
})
after(async () => {
  await fileServer[Symbol.asyncDispose]()
  await desk[Symbol.asyncDispose]()
})

describe('a file of the Files API', () => {
  it('is what was measured when it was uploaded', async () => {
    const file = await uploaded(video)
    const reference = await resolveOne({ kind: 'file', id: file.id })
    const { id: fileId, storeKey, sha256, sizeBytes } = file
    assert.deepEqual(reference, {
      role: 'reference',
      ...{ fileId, storeKey, sha256, sizeBytes },
      ...{ kind: 'video', mimeType: 'video/mp4', width: 160, height: 90, durationSeconds: 2 },
    })
    assert.equal(await filesOf(owner), 1)
  })

  it('of another account, deleted, or never there is told of in one sentence', async () => {
    const [foreign, deleted] = [await uploaded(png, stranger), await uploaded(png)]
    await desk.pool.query('update files set deleted_at = now() where id = $1', [uuidOf(deleted.id)])
    const ids = [foreign.id, deleted.id, newId('file'), newId('task'), foreign.id.toUpperCase(), '', "' or 1=1"]
    const messages = new Set<string>()
    for (const id of ids) {
      const error = await refusal({ kind: 'file', id }, 'invalid_field', /names no file of this account/)
      messages.add(error.message)
    }
    assert.equal(messages.size, 1)
  })

  it('that has expired is refused with the time when it did', async () => {
    const file = await uploaded(png)
    await endFile(file)
    await refusal({ kind: 'file', id: file.id }, 'invalid_field', /expired at 20\d\d-\d\d-\d\dT[\d:.]+Z/)
  })
})

describe('a file of the form', () => {
  it('is examined and kept in no list, and stays where it was received', async () => {
    const received = await bytesAs(png, 'mine.png')
    const reference = await resolveOne({ kind: 'upload', part: 'input' }, { uploads: new Map([['input', received]]) })
    assert.deepEqual(
      [reference.kind, reference.mimeType, reference.width, reference.height, reference.durationSeconds],
      ['image', 'image/png', 320, 180, undefined],
    )
    assert.ok(png.equals(await storedBytes(reference)))
    assert.ok(png.equals(await readFile(received.path)))
  })

  it('that is broken is refused with what was found', async () => {
    const received = await bytesAs(png.subarray(0, png.length - 20), 'cut.png')
    const uploads = new Map([['input', received]])
    await refusal({ kind: 'upload', part: 'input' }, 'invalid_field', /cannot be used: the file is /, { uploads })
  })
})

describe('the video of a task', () => {
  it('becomes a file of the account, in the form of any id', async () => {
    const { id } = await finishedTask(video)
    for (const text of [id, id.replace('task_', 'video_'), uuidOf(id)]) {
      const reference = await resolveOne({ kind: 'task', id: text })
      assert.equal(reference.taskId, id)
      assert.deepEqual([reference.kind, reference.durationSeconds, reference.width], ['video', 2, 160])
      assert.ok(video.equals(await storedBytes(reference)))
      assert.notEqual(reference.storeKey, `aa/${uuidOf(id)}/video.mp4`)
    }
  })

  it('is copied once, however often it is named', async () => {
    const { id } = await finishedTask(video)
    const first = await resolveOne({ kind: 'task', id })
    await desk.store.delete(`aa/${uuidOf(id)}/video.mp4`)
    const second = await resolveOne({ kind: 'task', id })
    assert.equal(second.storeKey, first.storeKey)
    assert.equal(second.durationSeconds, 2)
  })

  it('is refused with the reason for which there is none', async () => {
    const [queued, failed, canceled, swept] = [
      await queuedTask(),
      await queuedTask(),
      await queuedTask(),
      (await finishedTask(video)).id,
    ]
    await desk.pool.query(
      `select settle_task($1, null, array['queued'], 'failed', 0, 'generation_failed', 'no', '[]')`,
      [uuidOf(failed)],
    )
    await cancelQueued(desk.pool, canceled)
    await desk.pool.query('update media set expires_at = now() where task_id = $1', [uuidOf(swept)])
    await refusal({ kind: 'task', id: queued }, 'invalid_field', /has not finished yet/)
    await refusal({ kind: 'task', id: failed }, 'invalid_field', /has failed/)
    await refusal({ kind: 'task', id: canceled }, 'invalid_field', /was canceled/)
    await refusal({ kind: 'task', id: swept }, 'invalid_field', /was deleted when its time was over/)
  })

  it('whose object has just gone is refused like one that retention deleted', async () => {
    const { id } = await finishedTask(Buffer.concat([video, Buffer.alloc(16)]))
    await desk.store.delete(`aa/${uuidOf(id)}/video.mp4`)
    await refusal({ kind: 'task', id }, 'invalid_field', /was deleted when its time was over/)
  })

  it('of another account, of the other mode, or of no task is told of in one sentence', async () => {
    const { id: foreign } = await finishedTask(video, stranger)
    const { id: own } = await finishedTask(video)
    const { rows } = await desk.pool.query<{ id: bigint }>(
      "select id from wallets where account_id = $1 and mode = 'test'",
      [uuidOf(owner.account)],
    )
    const inTestMode = { by: { ...owner, wallet: rows[0]?.id ?? -1n } }
    await refusal({ kind: 'task', id: foreign }, 'invalid_field', /names no task of this account/)
    await refusal({ kind: 'task', id: own }, 'invalid_field', /names no task of this account/, inTestMode)
    for (const id of [newId('task'), newId('file'), '', 'video_x']) {
      await refusal({ kind: 'task', id }, 'invalid_field', /names no task of this account/)
    }
  })
})

describe('a link of ours', () => {
  const urlOf = (linked: LinkedFile) => desk.context.links.urlOf(linked)

  it('is the file that it leads to, without any network', async () => {
    const file = await uploaded(png)
    const { id, link } = await finishedTask(video)
    const reference = await resolveOne({ kind: 'url', url: urlOf(file) })
    assert.deepEqual([reference.fileId, reference.taskId], [file.id, undefined])
    assert.equal((await resolveOne({ kind: 'url', url: urlOf(link) })).taskId, id)
  })

  it('to a file or video of another account is as absent as a forged one', async () => {
    const { link } = await finishedTask(video, stranger)
    const own = urlOf(await uploaded(png))
    const urls = [
      urlOf(await uploaded(png, stranger)),
      urlOf(link),
      own.replace('signature=', 'signature=x'),
      own.replace(/file_[0-9a-f]+/, newId('file')),
      own.replace(/\?.*/, ''),
      'https://video.example.com/media/../media/x.png',
    ]
    for (const url of urls) await refusal({ kind: 'url', url }, 'invalid_field', /names no file of this account/)
  })

  it('that has expired, or whose file has, says so', async () => {
    const file = await uploaded(png)
    const yesterday = new Date(Date.now() - 86_400_000)
    const secret = desk.secrets.links
    const then = new MediaLinks({ publicUrl: () => 'https://video.example.com', secret, now: () => yesterday })
    const old = then.urlOf({ ...file, expiresAt: new Date(Date.now() - 3_600_000) })
    await refusal({ kind: 'url', url: old }, 'invalid_field', /is a link that expired at 20/)
    const url = urlOf(file)
    await endFile(file)
    await refusal({ kind: 'url', url }, 'invalid_field', /names a file that expired at 20/)
  })
})

describe('a data URI', () => {
  it('is decoded and kept', async () => {
    const reference = await resolveOne({ kind: 'url', url: `data:image/png;base64,${png.toString('base64')}` })
    assert.deepEqual([reference.mimeType, reference.sizeBytes], ['image/png', png.length])
  })

  it('of anything else is refused, and the sentence does not repeat it', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')
    const error = await refusal(
      { kind: 'url', url: `DATA:image/svg+xml;base64,${svg}` },
      'invalid_field',
      /cannot be used: the file is /,
    )
    assert.ok(!error.message.includes(svg.slice(0, 20)))
  })
})

describe('a URL elsewhere', () => {
  const url = (path: string): ReferenceOrigin => ({ kind: 'url', url: `${fileServer.url}${path}` })

  it('is fetched once, also when it is named twice, and kept for a day', async () => {
    const asked = [asking(url('/a%20picture.png')), asking(url('/video.mp4')), asking(url('/a%20picture.png'))]
    const references = await resolve(asked, { policy: LOOPBACK })
    assert.deepEqual(
      references.map(({ kind, width, durationSeconds }) => [kind, width, durationSeconds]),
      [
        ['image', 320, undefined],
        ['video', 160, 2],
        ['image', 320, undefined],
      ],
    )
    assert.equal(references[0]?.fileId, references[2]?.fileId)
    assert.equal(fileServer.received.length, 2)
    const { rows } = await desk.pool.query<{ name: string }>(
      "select name from files where wallet_id = $1 and not is_listed and expires_at > now() + interval '23 hours' order by name",
      [owner.wallet],
    )
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['a picture.png', 'video.mp4'],
    )
    assert.deepEqual(await readdir(desk.context.scratch), [])
  })

  it('gives the references in the order of the request', async () => {
    let arrived = 0
    const waiting: (() => void)[] = []
    await using server = await startReceiver(async ({ path }, response) => {
      arrived += 1
      // The first is answered last of its round.
      if (arrived % 4 !== 0 && arrived < 9) await new Promise<void>((resolve) => waiting.push(resolve))
      else for (const go of waiting.splice(0).reverse()) go()
      response.end(await picture(160 + Number(path.slice(1))))
      return undefined
    })
    const asked = Array.from({ length: 9 }, (_, n) => asking({ kind: 'url', url: `${server.url}/${n}` }))
    const references = await resolve(asked, { policy: LOOPBACK })
    assert.deepEqual(
      references.map(({ width }) => width),
      [160, 161, 162, 163, 164, 165, 166, 167, 168],
    )
  })

  it('is fetched beside three others at most', async () => {
    let open = 0
    let allOpen = () => {}
    const four = new Promise<void>((resolve) => {
      allOpen = resolve
    })
    const caller = new AbortController()
    await using server = await startReceiver(({ path }) => {
      if (path === '/later') return 204
      open += 1
      if (open === 4) allOpen()
      return undefined
    })
    const asked = Array.from({ length: 9 }, (_, n) => asking({ kind: 'url', url: `${server.url}/${n}` }))
    const attempt = assert.rejects(resolve(asked, { policy: LOOPBACK, signal: caller.signal }))
    await four
    // Whatever was sent with the four is there before what is sent after they were.
    for (let n = 0; n < 3; n += 1) await fetch(`${server.url}/later`, { headers: { connection: 'close' } })
    assert.equal(open, 4)
    caller.abort()
    await attempt
  })

  it('that answers something else is refused with what it was', async () => {
    await refusal(url('/none'), 'invalid_field', /its server answers 404/, { policy: LOOPBACK })
    await using html = await startReceiver((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).end('<!doctype html><p>log in')
      return undefined
    })
    await refusal({ kind: 'url', url: html.url }, 'invalid_field', /the file is /, { policy: LOOPBACK })
    await using large = await startReceiver((_, response) => {
      response.writeHead(200, { 'content-length': '60000000' }).write(png)
      return undefined
    })
    await refusal({ kind: 'url', url: large.url }, 'invalid_field', /larger than 52428800 bytes/, { policy: LOOPBACK })
    await using broken = await startReceiver((_, response) => {
      response.writeHead(200, { 'content-length': String(png.length) }).write(png.subarray(0, 100), () => {
        response.destroy()
      })
      return undefined
    })
    await refusal({ kind: 'url', url: broken.url }, 'invalid_field', /broke the connection off/, { policy: LOOPBACK })
    const { port } = broken
    await broken[Symbol.asyncDispose]()
    const gone = { kind: 'url', url: `http://127.0.0.1:${port}/` } as const
    await refusal(gone, 'invalid_field', /could not be connected to/, { policy: LOOPBACK })
  })

  it('ends the others when one of them cannot be used, and leaves nothing in the scratch folder', async () => {
    let closed = () => {}
    const left = new Promise<void>((resolve) => {
      closed = resolve
    })
    await using silent = await startReceiver((_, response) => {
      response.writeHead(200).write(png.subarray(0, 2_000))
      response.on('close', () => closed())
      return undefined
    })
    const asked = [asking({ kind: 'url', url: silent.url }), asking(url('/none'), { field: 'reference_images.1.url' })]
    await assert.rejects(resolve(asked, { policy: LOOPBACK }), /^Refusal: reference_images\.1\.url cannot be fetched/)
    await left
    assert.deepEqual(await readdir(desk.context.scratch), [])
  })

  it('is given up when nobody waits for it any more', async () => {
    const caller = new AbortController()
    await using silent = await startReceiver(() => {
      caller.abort()
      return undefined
    })
    const { signal } = caller
    const attempt = resolve([asking({ kind: 'url', url: silent.url })], { policy: LOOPBACK, signal })
    await assert.rejects(attempt, (error) => error instanceof Refusal && error.code === 'unavailable')
    const never = resolve([asking(url('/video.mp4'))], { policy: LOOPBACK, signal })
    await assert.rejects(never, (error) => error instanceof Refusal && error.code === 'unavailable')
    assert.equal(fileServer.received.length, 0)
  })

  it('is given up when the time for all of them together is over', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const bytes = await picture(160)
    let arrived = 0
    const waiting: (() => void)[] = []
    // Each is answered in time; but four at once, ten seconds for each round, are too slow for all of them.
    await using slow = await startReceiver(async (_, response) => {
      arrived += 1
      if (arrived % 4 !== 0) await new Promise<void>((resolve) => waiting.push(resolve))
      else {
        t.mock.timers.tick(10_000)
        for (const go of waiting.splice(0)) go()
      }
      response.end(bytes)
      return undefined
    })
    const asked = Array.from({ length: 28 }, (_, n) =>
      asking({ kind: 'url', url: `${slow.url}/${n}` }, { field: `images.${n}` }),
    )
    await assert.rejects(
      resolve(asked, { policy: LOOPBACK }),
      (error) => error instanceof Refusal && /^images\.\d+ was not there within 60 s; allowed: /.test(error.message),
    )
    assert.deepEqual(await readdir(desk.context.scratch), [])
  })
})

describe('a URL that leads into our network', () => {
  /** `PORT` is the victim's, which is one that https may have. */
  const FORBIDDEN = [
    'https://127.0.0.1:PORT/',
    'http://127.0.0.1:PORT/',
    'https://[::1]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://0.0.0.0:PORT/',
    'https://localhost:PORT/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433:PORT/',
    'https://0x7f000001:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://127.1:PORT/',
    'https://user@127.0.0.1:PORT/',
    'https://example.com@127.0.0.1:PORT/',
    'https://user:password@example.com/',
    'https://10.0.0.1/',
    'https://example.com:22/',
    'https://93.184.215.14:6379/',
    'http://93.184.215.14/',
    'ftp://127.0.0.1:PORT/',
    'http://example.com/a.png',
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'javascript:alert(1)',
    'unix:/var/run/docker.sock',
    '//127.0.0.1:PORT/',
    '/etc/passwd',
    '',
  ]

  it('is refused without a connection, by sentences that name no address', async () => {
    await using victim = await startReceiver(200, { host: '127.0.0.1', port: 8443 })
    for (const text of FORBIDDEN) {
      const url = text.replace('PORT', '8443')
      const error = await refusal({ kind: 'url', url }, 'url_rejected', /cannot be fetched: The URL may not be called/)
      assert.doesNotMatch(error.message, /127\.0|169\.254|::1|8443\//, url)
      if (/^(ftp|file|http:\/\/example)/.test(url))
        assert.match(error.message, /allowed: an https URL, or a data URI\.$/, url)
    }
    const policy = { ...NOWHERE_PRIVATE, resolve: async () => ['127.0.0.1'] }
    const rebound = { kind: 'url', url: 'https://rebind.example.com:8443/' } as const
    const error = await refusal(rebound, 'url_rejected', /not a host that may be called/, { policy })
    assert.doesNotMatch(error.message, /127\.0/)
    assert.equal(victim.connections(), 0)
    await resolveOne({ kind: 'url', url: victim.url }, { policy: LOOPBACK }).catch(() => {})
    assert.equal(victim.connections(), 1, 'the victim counts')
  })

  it('is refused also as the end of a redirect', async () => {
    await using victim = await startReceiver(200, { host: '127.0.0.2' })
    for (const location of [victim.url, victim.url.replace('http:', 'https:'), 'http://[::1]/', 'file:///etc/passwd']) {
      await using server = await startReceiver((_, response) => {
        response.writeHead(302, { location }).end()
        return undefined
      })
      const policy = fetchPolicy(['127.0.0.1/32'])
      const error = await refusal({ kind: 'url', url: server.url }, 'url_rejected', /may not be called/, { policy })
      assert.doesNotMatch(error.message, /127\.0\.0\.2|data URI/)
    }
    assert.equal(victim.connections(), 0)
  })
})

describe('what a request says of its reference', () => {
  let file: KeptFile
  let origin: ReferenceOrigin

  beforeEach(async () => {
    file = await uploaded(video)
    origin = { kind: 'file', id: file.id }
  })

  function token(change: Partial<DurationClaims> = {}): Promise<string> {
    const { id: fileId, sha256, durationSeconds = 0, expiresAt } = file
    return desk.context.durationTokens.sign({
      account: owner.account,
      ...{ fileId, sha256, durationSeconds, expiresAt },
      ...change,
    })
  }

  it('must be its kind', async () => {
    await refusal(origin, 'invalid_field', /is declared as image, and the file is video\/mp4/, {
      declared: { kind: 'image' },
    })
    assert.equal((await resolveOne(origin, { declared: { kind: 'video' } })).kind, 'video')
  })

  it('must be its length, up to a frame', async () => {
    for (const durationSeconds of [1.949, 2.051, 0, 20, Number.NaN]) {
      await refusal(origin, 'invalid_field', /is declared as .* s long, and the file is 2 s long/, {
        declared: { durationSeconds },
      })
    }
    for (const durationSeconds of [1.96, 2, 2.04]) await resolveOne(origin, { declared: { durationSeconds } })
    const still = { kind: 'file', id: (await uploaded(png)).id } as const
    const hasNone = /is declared as 3 s long, and a picture has no duration; allowed: no duration, or 0\.$/
    await refusal(still, 'invalid_field', hasNone, { declared: { durationSeconds: 3 } })
    await resolveOne(still, { declared: { durationSeconds: 0 } })
  })

  it('needs a duration token of that file where the dialect demands one for a video', async () => {
    await refusal(origin, 'invalid_field', /is video without a duration token/, {
      declared: { needsDurationToken: true },
    })
    const still = { kind: 'file', id: (await uploaded(png)).id } as const
    await resolveOne(still, { declared: { needsDurationToken: true } })
    const declared = { needsDurationToken: true, durationSeconds: 2, durationToken: await token() } as const
    await resolveOne(origin, { declared })
    await resolveOne({ kind: 'url', url: desk.context.links.urlOf(file) }, { declared })
    // The same bytes from elsewhere are the same bytes.
    const inline = { kind: 'url', url: `data:video/mp4;base64,${video.toString('base64')}` } as const
    await resolveOne(inline, { declared })
  })

  it('is refused with a token of another file, another account, one that is over, or none of ours', async () => {
    const again = await uploaded(video)
    const valid = await token()
    const cases: readonly (readonly [string, RegExp])[] = [
      [await token({ sha256: 'ab'.repeat(32) }), /a duration token of another file/],
      [await token({ fileId: again.id }), /a duration token of another file/],
      [await token({ account: stranger.account }), /a duration token that is not valid/],
      [await token({ expiresAt: new Date(Date.now() - 1_000) }), /a duration token that has expired/],
      [`${valid.slice(0, -4)}AAAA`, /a duration token that is not valid/],
      [`eyJhbGciOiJub25lIn0.${valid.split('.')[1]}.`, /a duration token that is not valid/],
      ['', /a duration token that is not valid/],
    ]
    for (const [durationToken, message] of cases) {
      await refusal(origin, 'invalid_field', message, { declared: { durationToken, needsDurationToken: true } })
      await refusal(origin, 'invalid_field', message, { declared: { durationToken } })
    }
  })
})
