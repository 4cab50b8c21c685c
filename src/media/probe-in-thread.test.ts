import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { endlessWebm } from '../../test/support/endless-webm.ts'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { BrokenMedia, type BrokenMediaReason } from './broken-media.ts'
import { probeVideo } from './probe.ts'
import { probeInThread } from './probe-in-thread.ts'

/** Enough for another probe to begin and to end meanwhile, on a busy machine. */
const TIMEOUT_MS = 8_000

let folder: string
let good: string
let endless: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-probe-thread-'))
  good = await writeTestVideo({ path: join(folder, 'good.mp4') })
  endless = join(folder, 'endless.webm')
  await writeFile(endless, await endlessWebm())
})
after(() => rm(folder, { recursive: true }))

async function refuses(probing: Promise<unknown>, reason: BrokenMediaReason, message: RegExp): Promise<void> {
  await assert.rejects(probing, (error) => {
    assert.ok(error instanceof BrokenMedia, String(error))
    assert.match(error.message, message)
    assert.equal(error.reason, reason)
    return true
  })
}

describe('probeInThread', () => {
  it('finds what probeVideo finds', async () => {
    assert.deepEqual(await probeInThread(good), await probeVideo(good))
  })

  it('refuses a video with the reason that probeVideo has', async () => {
    const page = join(folder, 'page.mp4')
    await writeFile(page, '<html></html>')
    await refuses(probeInThread(page), 'not_a_video', /^The file is HTML or XML, not a video\.$/)
  })

  it('gives up on a file that catches the demuxer in a loop, and probes others meanwhile', async () => {
    let isOver = false
    const probing = refuses(probeInThread(endless, { timeoutMs: TIMEOUT_MS }), 'unreadable', /in time/).then(() => {
      isOver = true
    })
    assert.equal((await probeInThread(good)).frameCount, 20)
    assert.equal(isOver, false)
    await probing
    assert.equal((await probeInThread(good)).frameCount, 20)
  })

  it('throws the file system error when there is no file', async () => {
    await assert.rejects(probeInThread(join(folder, 'absent')), /ENOENT/)
  })
})
