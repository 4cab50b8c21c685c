import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { sampleReference } from '../../../test/support/sample-request.ts'
import { fileToSend, type PictureNeeds } from './file-to-send.ts'

/** A landscape: red on the left, blue on the right. */
async function landscape(): Promise<Sharp> {
  const half = (background: string) =>
    sharp({ create: { width: 40, height: 40, channels: 3, background } })
      .png()
      .toBuffer()
  const ground = sharp({ create: { width: 80, height: 40, channels: 3, background: 'red' } })
  const whole = await ground
    .composite([{ input: await half('blue'), left: 40, top: 0 }])
    .png()
    .toBuffer()
  return sharp(whole)
}

async function sent(bytes: Buffer, mimeType: string, needs?: PictureNeeds) {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const reference = sampleReference('firstFrame', 'image', { mimeType, sizeBytes: bytes.length, sha256 })
  const file = await fileToSend(reference, async () => Readable.from([bytes]), needs)
  const { data, info } = await sharp(file.bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * info.channels).subarray(0, 3)]
  return { ...file, metadata: await sharp(file.bytes).metadata(), at }
}

describe('a picture that is handed to an upstream', () => {
  test('stands upright, however its camera was held, without what the camera wrote into it', async () => {
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      const turned = await (await landscape())
        .jpeg()
        .withMetadata({ orientation })
        .withExifMerge({ IFD0: { ImageDescription: 'of a house' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
        .toBuffer()
      const { metadata, mimeType, bytes } = await sent(turned, 'image/jpeg')
      const isStanding = orientation >= 5
      assert.deepEqual(
        [metadata.width, metadata.height],
        isStanding ? [40, 80] : [80, 40],
        `orientation ${orientation}`,
      )
      assert.deepEqual([metadata.orientation, metadata.exif, metadata.icc, metadata.xmp], Array(4).fill(undefined))
      assert.ok(!bytes.includes('of a house'))
      assert.equal(mimeType, 'image/jpeg')
    }
  })

  test('is of sRGB with three channels of 8 bits, whatever it was', async () => {
    const rgb = await landscape()
    for (const [mimeType, bytes] of [
      ['image/png', await rgb.clone().toColourspace('rgb16').png().toBuffer()],
      ['image/png', await rgb.clone().greyscale().toColourspace('b-w').png().toBuffer()],
      ['image/png', await rgb.clone().png({ palette: true }).toBuffer()],
      ['image/jpeg', await rgb.clone().toColourspace('cmyk').jpeg().toBuffer()],
      ['image/jpeg', await rgb.clone().withIccProfile('p3').jpeg().toBuffer()],
      ['image/webp', await rgb.clone().webp().toBuffer()],
    ] as const) {
      const { metadata } = await sent(bytes, mimeType)
      assert.deepEqual([metadata.depth, metadata.channels, metadata.space], ['uchar', 3, 'srgb'], mimeType)
      assert.ok(metadata.icc === undefined && ['png', 'jpeg'].includes(metadata.format))
    }
  })

  test('has no holes', async () => {
    const holed = await sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } },
    })
      .png()
      .toBuffer()
    const { metadata, at } = await sent(holed, 'image/png')
    assert.equal(metadata.hasAlpha, false)
    assert.deepEqual(at(4, 4), [255, 255, 255])
  })

  test('has the very size of the frame where it is one, and is cut, not squeezed', async () => {
    const circle = Buffer.from('<svg width="80" height="40"><circle cx="40" cy="20" r="18" fill="white"/></svg>')
    const ground = sharp({ create: { width: 80, height: 40, channels: 3, background: 'black' } })
    const round = await ground
      .composite([{ input: circle }])
      .png()
      .toBuffer()
    const { metadata, at } = await sent(round, 'image/png', { frame: { width: 48, height: 96 } })
    assert.deepEqual([metadata.width, metadata.height], [48, 96])
    const white = Array.from({ length: 48 }, (_, x) => at(x, 48)[0] ?? 0).filter((each) => each > 128).length
    // Of a circle of 86 pixels the frame shows its whole width; squeezed it would be 22 wide.
    assert.ok(white > 40, `${white} pixels of the circle are seen`)
    const bytes = await (await landscape()).png().toBuffer()
    const same = await sent(bytes, 'image/png', { frame: { width: 160, height: 80 } })
    assert.ok(
      (same.at(10, 40)[0] ?? 0) > 200 && (same.at(150, 40)[2] ?? 0) > 200,
      'a frame of its shape shows all of it',
    )
  })

  test('is made smaller where the upstream takes no more, and refused where that cannot be', async () => {
    const noise = await sharp({
      create: {
        width: 600,
        height: 600,
        channels: 3,
        background: 'white',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .png()
      .toBuffer()
    const maxBytes = Math.round(noise.length * 0.6)
    const { mimeType, bytes } = await sent(noise, 'image/png', { maxBytes })
    assert.equal(mimeType, 'image/jpeg')
    assert.ok(bytes.length <= maxBytes)
    await assert.rejects(sent(noise, 'image/png', { maxBytes: 1_000 }), /cannot be made smaller than the 1000 bytes/)
  })

  test('is the same to the byte when it is made ready again', async () => {
    const bytes = await (await landscape()).jpeg().toBuffer()
    const needs = { frame: { width: 64, height: 64 } }
    const [one, other] = [await sent(bytes, 'image/jpeg', needs), await sent(bytes, 'image/jpeg', needs)]
    assert.equal(one.sha256, other.sha256)
    assert.equal(one.sha256, createHash('sha256').update(one.bytes).digest('hex'))
  })

  test('is refused where it cannot be decoded', async () => {
    await assert.rejects(sent(Buffer.from('no picture'), 'image/png'))
  })
})
