import assert from 'node:assert/strict'
import { appendFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeTestVideo } from '../../test/support/test-video.ts'
import { topLevelBoxes } from './boxes.ts'
import { markVideo } from './mark-video.ts'
import { probeVideo } from './probe.ts'
import { xmpBox } from './xmp.ts'

const provenance = { sourceType: 'trainedAlgorithmicMedia', model: 'a<b', provider: 'c&d', taskId: 'task_1' } as const
let folder: string
let path: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-mark-'))
  path = await writeTestVideo({ path: join(folder, 'made.mp4') })
})
after(() => rm(folder, { recursive: true }))

async function typesOf(file: string): Promise<string[]> {
  const handle = await open(file, 'r')
  try {
    return (await topLevelBoxes(handle, (await handle.stat()).size)).map((box) => box.type)
  } finally {
    await handle.close()
  }
}

describe('markVideo', () => {
  it('appends one box and changes nothing that a probe can see', async () => {
    const targetPath = join(folder, 'marked.mp4')
    await markVideo({ path, container: 'mp4', targetPath, provenance })
    assert.deepEqual(await typesOf(targetPath), [...(await typesOf(path)), 'uuid'])
    const before = await probeVideo(path)
    const marked = await probeVideo(targetPath)
    assert.deepEqual(marked, { ...before, sizeBytes: before.sizeBytes + xmpBox(provenance).length })
    assert.equal(marked.faststart, true)
  })

  it('closes a last box that reaches to the end of the file, which would swallow the mark', async () => {
    const bytes = await readFile(path)
    bytes.writeUInt32BE(0, bytes.indexOf('mdat', 0, 'latin1') - 4)
    const openEnded = join(folder, 'open.mp4')
    await writeFile(openEnded, bytes)
    const targetPath = join(folder, 'open-marked.mp4')
    await markVideo({ path: openEnded, container: 'mp4', targetPath, provenance })
    assert.equal((await typesOf(targetPath)).at(-1), 'uuid')
    assert.equal((await probeVideo(targetPath)).frameCount, 20)
  })

  it('drops padding that would stand between the last box and the mark', async () => {
    const padded = join(folder, 'padded.mp4')
    await writeFile(padded, await readFile(path))
    await appendFile(padded, Buffer.alloc(5))
    const targetPath = join(folder, 'padded-marked.mp4')
    await markVideo({ path: padded, container: 'mp4', targetPath, provenance })
    assert.equal((await typesOf(targetPath)).at(-1), 'uuid')
  })
})

describe('xmpBox', () => {
  it('says where the video comes from, in the words of IPTC, with its texts escaped', () => {
    const box = xmpBox(provenance)
    assert.equal(box.readUInt32BE(0), box.length)
    assert.equal(box.toString('hex', 8, 24), 'be7acfcb97a942e89c71999491e3afac')
    const packet = box.toString('utf8', 24)
    const type = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
    assert.ok(packet.includes(`<Iptc4xmpExt:DigitalSourceType>${type}</Iptc4xmpExt:DigitalSourceType>`))
    assert.ok(packet.includes('<reelay:Model>a&lt;b</reelay:Model>'))
    assert.ok(packet.includes('<reelay:Provider>c&amp;d</reelay:Provider>'))
    assert.ok(packet.endsWith('<?xpacket end="r"?>'))
  })
})
