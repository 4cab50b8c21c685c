import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { markVideo } from './mark-video.ts'
import { readMark } from './read-mark.ts'

const provenance = {
  sourceType: 'trainedAlgorithmicMedia',
  model: 'a <b> & &amp; c',
  provider: 'p',
  taskId: 'task_1',
} as const

let folder: string
let marked: string

describe('readMark', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-read-mark-'))
    marked = await mark('mp4')
  })
  after(() => rm(folder, { recursive: true }))

  async function mark(format: 'mp4' | 'mov' | 'webm', from?: string): Promise<string> {
    const path = from ?? (await writeTestVideo({ path: join(folder, `made.${format}`), format }))
    const targetPath = join(folder, `marked${from === undefined ? '' : '-again'}.${format}`)
    await markVideo({ path, container: format, targetPath, provenance })
    return targetPath
  }

  it('reads what markVideo wrote, letter for letter', async () => {
    assert.deepEqual(await readMark(marked), provenance)
    assert.deepEqual(await readMark(await mark('mov')), provenance)
  })

  it('finds none in a video without one, a WebM, a cut file, another XMP and no video at all', async () => {
    assert.equal(await readMark(join(folder, 'made.mp4')), undefined)
    assert.equal(await readMark(await mark('webm')), undefined)
    const cut = join(folder, 'cut.mp4')
    await copyFile(marked, cut)
    await truncate(cut, 1_000)
    assert.equal(await readMark(cut), undefined)
    for (const [name, content] of [
      ['empty', ''],
      ['text', 'no video at all, but long enough for a header'],
      ['other', `\0\0\0\x1cuuid${'x'.repeat(20)}`],
      ['zeros', Buffer.alloc(100)],
    ] as const) {
      await writeFile(join(folder, name), content)
      assert.equal(await readMark(join(folder, name)), undefined, name)
    }
  })
})
