import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { testMp3, testPicture } from '../../../test/support/good-files.ts'
import { FileRefused } from '../file-refused.ts'
import { receiveDataUri } from './receive-data-uri.ts'

let folder: string
let png: Buffer
let options: { readonly directory: string; readonly name: string }
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-data-uri-'))
  options = { directory: folder, name: '' }
  png = await testPicture().png().toBuffer()
})
after(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name))
})

async function refuses(text: string, says: RegExp): Promise<void> {
  await assert.rejects(receiveDataUri(text, options), (error) => {
    assert.ok(error instanceof FileRefused, String(error))
    assert.match(error.message, says)
    return true
  })
  assert.deepEqual(await readdir(folder), [])
}

describe('receiveDataUri', () => {
  it('gives the bytes back, whatever their number', async () => {
    for (let extra = 0; extra < 3; extra += 1) {
      const bytes = Buffer.concat([png, Buffer.alloc(100_000 + extra)])
      const file = await receiveDataUri(`data:image/png;base64,${bytes.toString('base64')}`, options)
      assert.deepEqual(await readFile(file.path), bytes)
      assert.deepEqual([file.mimeType, file.sizeBytes], ['image/png', bytes.length])
    }
  })

  it('takes parameters, capitals and the other names of a type', async () => {
    const image = png.toString('base64')
    const sound = testMp3().toString('base64')
    for (const text of [
      `DATA:Image/PNG;name=a.png;BASE64,${image}`,
      `data:application/octet-stream;base64,${image}`,
      `data:audio/mp3;base64,${sound}`,
    ]) {
      await receiveDataUri(text, options)
    }
  })

  it('refuses a declared type that is not what the bytes are', async () => {
    const image = png.toString('base64')
    await refuses(
      `data:image/jpeg;base64,${image}`,
      /is a PNG image, not the declared image\/jpeg; allowed: a data URI/,
    )
    await refuses(`data:;base64,${image}`, /not the declared text\/plain/)
    await refuses(`data:image/png;base64,${Buffer.from('<svg/>').toString('base64')}`, /is an SVG image/)
    await refuses('data:image/png;base64,', /is empty/)
  })

  it('refuses what is no base64', async () => {
    const image = png.toString('base64')
    await refuses(`data:image/png,${image}`, /a data URI without base64; allowed: data:<media type>;base64,/)
    await refuses('data:image/png;base64', /malformed/)
    await refuses(`data:${'a'.repeat(300)};base64,${image}`, /malformed/)
    await refuses(`data:image/png;base64,${image.slice(0, 100)}!${image.slice(101)}`, /not in valid base64/)
    await refuses(`data:image/png;base64,${image.slice(0, -1)}`, /not whole/)
    const long = Buffer.concat([png, Buffer.alloc(200_000)]).toString('base64')
    await refuses(`data:image/png;base64,${long.slice(0, -100)}\n\n\n\n${long.slice(-96)}`, /not in valid base64/)
    await refuses(`data:image/png;base64,${long.slice(0, -100)}====${long.slice(-96)}`, /not in valid base64/)
  })

  it('refuses what is too large before it writes a byte of it', async () => {
    const large = Buffer.concat([testMp3(1), Buffer.alloc(10 * 1024 * 1024)]).toString('base64')
    await refuses(`data:audio/mpeg;base64,${large}`, /a sound file of more than 10 MiB/)
  })
})
