import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
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

/** Of data, where its decoding outweighs the rest of the work. */
const LARGE_CHARACTERS = 12_000_000

/** What is written to the disk and hashed is the same; a search at each percent sign is twelve times the whole. */
const MAX_COST_RATIO = 4

/** Milliseconds of processor time to receive a data URI, the best of three runs. */
async function cpuMsOf(text: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 3; run += 1) {
    const began = process.cpuUsage()
    await receiveDataUri(text, options)
    const { user, system } = process.cpuUsage(began)
    best = Math.min(best, (user + system) / 1_000)
  }
  return best
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

  it('decodes a file of percent signs at a cost that is near to that of one without any', async () => {
    const head = 'data:image/png,%89PNG%0D%0A%1A%0A'
    const plainMs = await cpuMsOf(`${head}${'A'.repeat(LARGE_CHARACTERS)}`)
    for (const text of ['%', '%4', '%41', '%é']) {
      const ms = await cpuMsOf(`${head}${text.repeat(LARGE_CHARACTERS / text.length)}`)
      assert.ok(ms <= MAX_COST_RATIO * plainMs, `${text}: ${ms} ms, and without a percent sign ${plainMs} ms`)
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

  it('takes what a browser takes: whitespace, no padding, percent-encoding, other spellings', async () => {
    // Longer than a slice, and with each number of padding characters.
    for (let extra = 0; extra < 3; extra += 1) {
      const bytes = Buffer.concat([png, Buffer.alloc(100_000 + extra, 0xe9)])
      const base64 = bytes.toString('base64')
      const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
      for (const text of [
        `data:image/png;base64,${base64.replaceAll(/.{76}/g, '$&\r\n')}`,
        `data:image/png;base64,\n${base64.replaceAll(/.{64}/g, '$&\n')}\n`,
        `data:image/png;base64,${base64.replaceAll(/.{5}/g, '$& ')}`,
        `data:image/png;base64,${base64.replace(/=+$/, '')}`,
        `data:image/png;base64,${encodeURIComponent(base64)}`,
        `data:image/png;base64,${base64.replaceAll(/.{76}/g, '$&%0A')}`,
        ` \n data:image/png; base64,${base64} `,
        `data:image/png;charset=utf-8;base64,${base64}#fragment`,
        `data:image/png,${percent}`,
        `data:image/png,${percent.toUpperCase()}`,
      ]) {
        const file = await receiveDataUri(text, options)
        assert.ok(bytes.equals(await readFile(file.path)), text.slice(0, 60))
      }
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
    await refuses('data:image/png;base64', /malformed; allowed: data:<media type>;base64,/)
    await refuses(`data:${'a'.repeat(300)};base64,${image}`, /malformed/)
    await refuses(`data:image/png;base64,${image.slice(0, 100)}!${image.slice(101)}`, /not in valid base64/)
    const unpadded = image.replace(/=+$/, '')
    await refuses(`data:image/png;base64,${unpadded.slice(0, 4 * Math.floor(unpadded.length / 4) + 1)}`, /not whole/)
    await refuses(`data:image/png;base64,${image}=`, /not in valid base64|not whole/)
    const long = Buffer.concat([png, Buffer.alloc(200_000)]).toString('base64')
    await refuses(`data:image/png;base64,${long.slice(0, -100)}====${long.slice(-96)}`, /not in valid base64/)
  })

  it('refuses what is too large before it writes a byte of it', async () => {
    const large = Buffer.concat([testMp3(1), Buffer.alloc(10 * 1024 * 1024)]).toString('base64')
    await refuses(`data:audio/mpeg;base64,${large}`, /a sound file of more than 10 MiB/)
  })
})
