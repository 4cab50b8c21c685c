import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { waitFor } from '../../test/support/patience.ts'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { Posters } from './posters.ts'

let folder: string
let video: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-posters-'))
  video = await writeTestVideo({ path: join(folder, 'wide.mp4'), width: 1920, height: 1080, durationSeconds: 1 })
})
after(() => rm(folder, { recursive: true }))

const requestOf = (name: string, videoPath = video) => ({
  kind: 'poster' as const,
  videoPath,
  picturePath: join(folder, `${name}.jpg`),
  durationSeconds: 1,
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function ends(pid: number): Promise<void> {
  await waitFor(`process ${pid} to end`, () => !isAlive(pid), { lookEveryMs: 1 })
}

/** A child that behaves as the given statement says. */
async function childOf(name: string, statement: string): Promise<string> {
  const path = join(folder, `${name}.mjs`)
  await writeFile(path, `process.on('message', () => { ${statement} })\n`)
  return path
}

describe('Posters', () => {
  it('draws a JPEG of at most 1280 pixels from each kind of file, in one warm process', async () => {
    await using posters = new Posters()
    const { width, height } = await posters.make(requestOf('wide'))
    assert.deepEqual([width, height], [1280, 720])
    const jpeg = await readFile(join(folder, 'wide.jpg'))
    assert.deepEqual(jpeg.subarray(0, 3), Buffer.from([0xff, 0xd8, 0xff]))
    const { pid } = posters
    for (const format of ['webm', 'mov', 'mp4-fragments', 'mp4-index-last'] as const) {
      const path = await writeTestVideo({ path: join(folder, `made.${format}`), format })
      const small = await posters.make(requestOf(format, path))
      assert.deepEqual([small.width, small.height], [160, 90], format)
    }
    assert.equal(posters.pid, pid)
  })

  it('draws a spritesheet of 5 × 2 tiles with a long side of 320 pixels, from each kind of file', async () => {
    await using posters = new Posters()
    const wide = await posters.make({ ...requestOf('sheet'), kind: 'spritesheet' })
    assert.deepEqual([wide.width, wide.height], [1600, 360])
    const tall = await writeTestVideo({ path: join(folder, 'tall.mp4'), width: 480, height: 720, durationSeconds: 1 })
    const sheet = await posters.make({ ...requestOf('tall-sheet', tall), kind: 'spritesheet' })
    assert.deepEqual([sheet.width, sheet.height], [5 * 214, 2 * 320])
    for (const format of ['webm', 'mov', 'mp4-fragments', 'mp4-index-last'] as const) {
      const path = await writeTestVideo({ path: join(folder, `sheet.${format}`), format })
      const small = await posters.make({ ...requestOf(`sheet-${format}`, path), kind: 'spritesheet' })
      assert.deepEqual([small.width, small.height], [5 * 160, 2 * 90], format)
    }
  })

  it('takes the tiles of a spritesheet from all over the video', async () => {
    await using posters = new Posters()
    const path = await writeTestVideo({ path: join(folder, 'long.mp4'), durationSeconds: 5 })
    const request = { ...requestOf('long', path), kind: 'spritesheet' as const, durationSeconds: 5 }
    const { width, height } = await posters.make(request)
    const context = createCanvas(width, height).getContext('2d')
    context.drawImage(await loadImage(request.picturePath), 0, 0)
    const tileAt = (index: number) =>
      context.getImageData((index % 5) * 160, Math.floor(index / 5) * 90, 160, 90).data.join()
    assert.equal(new Set(Array.from({ length: 10 }, (_, index) => tileAt(index))).size, 10)
  })

  it('fails one poster and not the next when a file cannot be decoded', async () => {
    await using posters = new Posters()
    const broken = join(folder, 'broken.mp4')
    await writeFile(broken, 'no video')
    const [failed, made] = await Promise.allSettled([
      posters.make(requestOf('broken', broken)),
      posters.make(requestOf('next')),
    ])
    assert.equal(failed.status, 'rejected')
    assert.match(String(failed.reason), /could not be made/)
    assert.equal(made.status, 'fulfilled')
  })

  it('fails one poster when the process crashes, and starts another for the next', async () => {
    const child = await childOf('crash', "process.kill(process.pid, 'SIGSEGV')")
    await using posters = new Posters({ child })
    await assert.rejects(posters.make(requestOf('a')), /ended with SIGSEGV/)
    assert.equal(posters.pid, undefined)
    await assert.rejects(posters.make(requestOf('b')), /ended with SIGSEGV/)
  })

  it('draws on when Ctrl-C or a service manager signals the whole group', async () => {
    await using posters = new Posters()
    const met = posters.make(requestOf('starting'))
    await Promise.resolve()
    const starting = posters.pid
    assert.ok(starting !== undefined)
    process.kill(starting, 'SIGINT')
    assert.equal((await met).width, 1280, 'it met the process while it started')
    const { pid } = posters
    assert.ok(pid !== undefined)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.kill(pid, signal)
      assert.equal((await posters.make(requestOf(signal))).width, 1280)
      assert.equal(posters.pid, pid, signal)
    }
  })

  it('tries no third time', async () => {
    await using posters = new Posters({ child: await childOf('stopped', "process.kill(process.pid, 'SIGTERM')") })
    await assert.rejects(posters.make(requestOf('x')), /ended with SIGTERM/)
  })

  it('ends a process that takes too long', async () => {
    await using posters = new Posters({ child: await childOf('hang', 'for (;;) {}'), timeoutMs: 500 })
    const poster = assert.rejects(posters.make(requestOf('hang')), /took more than 0.5 s/)
    await Promise.resolve()
    await Promise.resolve()
    const { pid } = posters
    await poster
    assert.ok(pid !== undefined)
    await ends(pid)
  })

  it('takes no nonsense for an answer', async () => {
    await using posters = new Posters({ child: await childOf('nonsense', "process.send({ kind: 'made' })") })
    await assert.rejects(posters.make(requestOf('x')), /no sensible answer/)
  })

  it('lets an idle process go', async () => {
    await using posters = new Posters({ idleExitMs: 1 })
    const made = await posters.make(requestOf('idle'))
    assert.equal(made.width, 1280)
    await waitFor('the process to end', () => posters.pid === undefined, { lookEveryMs: 1 })
  })

  it('refuses work once it is disposed of, and leaves no process', async () => {
    const posters = new Posters()
    await posters.make(requestOf('last'))
    const { pid } = posters
    await posters[Symbol.asyncDispose]()
    assert.ok(pid !== undefined)
    assert.equal(isAlive(pid), false)
    await assert.rejects(posters.make(requestOf('late')), /stopping/)
  })

  it('gives the process none of our environment but what it needs', async () => {
    process.env['REELAY_TEST_SECRET'] = 'secret'
    const statement = "process.send({ kind: 'failed', message: Object.keys(process.env).join() })"
    await using posters = new Posters({ child: await childOf('environment', statement) })
    await assert.rejects(posters.make(requestOf('x')), (error) => !String(error).includes('REELAY_TEST_SECRET'))
  })

  it('does not outlive a parent that is killed, nor keep alive one that is done', async () => {
    const module = new URL('./posters.ts', import.meta.url).href
    const script = (end: string) =>
      `import { Posters } from '${module}'; const posters = new Posters();` +
      `await posters.make(${JSON.stringify(requestOf('parent'))}); process.stdout.write(posters.pid + '\\n'); ${end}`
    for (const end of ['setInterval(() => {}, 1000)', '']) {
      const options = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script(end)]
      const parent = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
      const exit = once(parent, 'exit')
      const [line] = await once(parent.stdout, 'data')
      const pid = Number(String(line))
      assert.ok(pid > 1)
      if (end !== '') parent.kill('SIGKILL')
      await exit
      await ends(pid)
    }
    await access(join(folder, 'parent.jpg'))
  })
})
