/** `reelay verify`: from a video as a customer has it to the word of the installation that made it. */
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { manifestUrl } from '../../src/media/manifest-url.ts'
import { publicKeySchema } from '../../src/media/public-key.ts'
import { type CommandResult, runCli, startServer, type TestServer } from '../support/server.ts'
import { create, waitForStatus } from './rivya.ts'

const PROMPT = 'A lighthouse in the snow'

describe('reelay verify', () => {
  let server: TestServer
  let folder: string
  let id: string
  let video: string
  let manifest: string
  let publicKey: string
  before(async () => {
    server = await startServer()
    folder = await mkdtemp(join(tmpdir(), 'reelay-verify-'))
    id = (await create(server, { model: 'grok-imagine-video', prompt: PROMPT, params: { duration: 6 } })).id
    const link = (await waitForStatus(server, id, ['succeeded'])).result?.primary_url ?? ''
    video = await save(link, 'sea.mp4')
    manifest = await save(manifestUrl(link), 'saved.json')
    const answer = await server.ask('GET', '/.well-known/reelay-signing-key.json', { key: null })
    publicKey = publicKeySchema.parse(answer.body).public_key
  })
  after(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function save(url: string, name: string): Promise<string> {
    const answer = await fetch(url)
    assert.equal(answer.status, 200)
    const path = join(folder, name)
    await writeFile(path, Buffer.from(await answer.arrayBuffer()))
    return path
  }

  /** Somewhere else than on the server: nothing is known but what is given. */
  const offline = (...args: string[]): Promise<CommandResult> =>
    runCli(['verify', ...args], { REELAY_DATA_DIR: join(folder, 'no-data') })

  function assertRefused({ code, stdout, stderr }: CommandResult, why: RegExp): void {
    assert.equal(code, 1, stdout + stderr)
    assert.match(stdout, /^refused: /)
    assert.match(stdout, why)
    assert.equal(stderr, '')
  }

  test('confirms a video by its manifest and the public key alone, and its prompt', async () => {
    const { code, stdout } = await offline(video, '--manifest', manifest, '--key', publicKey, '--prompt', PROMPT)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^genuine\nmodel {5}grok-imagine-video\nprovider {2}\S+\ncreated {3}20\d\d-/)
    assert.match(stdout, new RegExp(`^task {6}${id}\nprompt {4}as given, sha256 [0-9a-f]{64}$`, 'm'))
    assert.match(stdout, /^made by {3}a program, no AI model$/m)
  })

  test('finds the manifest beside the video, and the key in a saved document', async () => {
    const place = join(folder, 'beside')
    await mkdir(place)
    await copyFile(video, join(place, 'sea.mp4'))
    await copyFile(manifest, join(place, 'sea.mp4.manifest.json'))
    const key = join(place, 'key.json')
    await writeFile(key, (await server.ask('GET', '/.well-known/reelay-signing-key.json')).text)
    const { code, stdout } = await offline(join(place, 'sea.mp4'), '--key', key, '--json')
    assert.equal(code, 0, stdout)
    const value = JSON.parse(stdout)
    assert.deepEqual(
      [value.verdict, value.reason, value.manifest.task_id, value.manifest.media_sha256, value.prompt_confirmed],
      ['genuine', null, id, value.sha256, null],
    )
    assert.equal(value.mark.task_id, id)
  })

  test('asks the server for the key and, by the mark in the file, for the manifest', async () => {
    const { code, stdout, stderr } = await server.command('verify', video, '--json')
    assert.equal(code, 0, stdout + stderr)
    assert.match(JSON.parse(stdout).manifest_source, /\/media\/med_[0-9a-f]{32}\.mp4\/manifest\.json\?/)
  })

  test('asks the database on the server itself', async () => {
    const { code, stdout } = await runCli(['verify', video, '--manifest', manifest], server.env)
    assert.equal(code, 0, stdout)
  })

  test('refuses one changed byte, another prompt, another key and no manifest, and says so', async () => {
    const changed = join(folder, 'changed.mp4')
    await copyFile(video, changed)
    const file = await open(changed, 'r+')
    const size = (await file.stat()).size
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, Math.floor(size / 2))
    byte[0] = (byte[0] ?? 0) ^ 1
    await file.write(byte, 0, 1, Math.floor(size / 2))
    await file.close()
    assertRefused(await offline(changed, '--manifest', manifest, '--key', publicKey), /of other bytes/)

    const given = [video, '--manifest', manifest, '--key']
    assertRefused(await offline(...given, publicKey, '--prompt', 'A sea'), /not made from this prompt/)
    const otherKey = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    assertRefused(await offline(...given, otherKey), /another installation made it/)
    const forged = join(folder, 'forged.json')
    await writeFile(forged, (await readFile(manifest, 'utf8')).replace('"grok-imagine-video"', '"veo-9"'))
    assertRefused(await offline(video, '--manifest', forged, '--key', publicKey), /changed after it was signed/)
    assertRefused(await offline(video, '--manifest', video, '--key', publicKey), /is not a manifest of Reelay/)

    const unsaid = await offline(video, '--key', publicKey)
    assertRefused(unsaid, /nothing is confirmed/)
    assert.match(unsaid.stdout, new RegExp(`^its mark {2}model grok-imagine-video, provider \\S+, task ${id}$`, 'm'))
    const { verdict, reason } = JSON.parse((await offline(forged, '--key', publicKey, '--json')).stdout)
    assert.deepEqual([verdict, reason], ['refused', 'no_manifest'])
  })

  test('cannot decide, and says what it lacks: a key, a server, a file', async () => {
    const attempts: [args: string[], says: RegExp][] = [
      [[video, '--manifest', manifest], /^reelay: Say whose video it should be: --url .*--key/],
      [[video, '--manifest', manifest, '--key', 'nonsense'], /"nonsense" is neither a public key .* nor a file/],
      [[video, '--manifest', manifest, '--key', manifest], /no public key document/],
      [[video, '--manifest', manifest, '--url', 'http://127.0.0.1:1'], /no server answers at http:\/\/127\.0\.0\.1:1/],
      [[video, '--manifest', join(folder, 'none.json')], /There is no file .*none\.json/],
      [[join(folder, 'none.mp4')], /none\.mp4/],
    ]
    for (const [args, says] of attempts) {
      const { code, stdout, stderr } = await offline(...args)
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr, says)
      assert.match(stderr, /^reelay: [^\n]+\n$/)
    }
  })
})
