import { writeFile } from 'node:fs/promises'
import { Scaler } from 'node-av/api'
import { AV_PIX_FMT_RGB24 } from 'node-av/constants'
import { Frame } from 'node-av/lib'
import { fittedSize, type PixelSize } from './fitted-size.ts'
import type { PosterRequest } from './poster-messages.ts'
import { VideoFrames } from './video-frames.ts'

/** Ten tiles tell 1 to 30 seconds of video, and fit a page at a glance. */
const COLUMNS = 5
const ROWS = 2

/** Pixels of a tile's long side. A sheet has at most 1600 × 640 of them. */
const MAX_TILE_PIXELS = 320

/** JPEG quality, 1–100: tiles are small, and blocks at their edges show; at 80 a sheet has some 100 KB. */
const JPEG_QUALITY = 80

/** Bytes of a pixel in RGB24. */
const PIXEL_BYTES = 3

/**
 * Draws ten frames, each from the middle of its tenth of the video, row by row from the top left, and writes them as one
 * JPEG. Returns the sheet's size in pixels. The video is decoded once, without seeking: key frames are often so far
 * apart that each seek would decode it from the start.
 */
export async function drawSpritesheet({ videoPath, picturePath, durationSeconds }: PosterRequest): Promise<PixelSize> {
  await using frames = await VideoFrames.open(videoPath)
  using scaler = new Scaler()
  const first = await frames.frameAt(0)
  const tile = fittedSize(first, MAX_TILE_PIXELS)
  const sheet = { width: tile.width * COLUMNS, height: tile.height * ROWS }
  const pixels = Buffer.alloc(sheet.width * sheet.height * PIXEL_BYTES)
  for (let index = 0; index < COLUMNS * ROWS; index++) {
    const frame = await frames.frameAt((durationSeconds * (index + 0.5)) / (COLUMNS * ROWS))
    const place = { left: (index % COLUMNS) * tile.width, top: Math.floor(index / COLUMNS) * tile.height }
    copyTile(await scaler.toBuffer(frame, { resize: tile, format: 'rgb' }), tile, {
      pixels,
      width: sheet.width,
      ...place,
    })
  }
  using picture = Frame.fromVideoBuffer(pixels, { ...sheet, format: AV_PIX_FMT_RGB24, timeBase: { num: 1, den: 1 } })
  await writeFile(picturePath, await scaler.toJpeg(picture, { quality: JPEG_QUALITY }))
  return sheet
}

function copyTile(
  rgb: Buffer,
  tile: PixelSize,
  sheet: { pixels: Buffer; width: number; left: number; top: number },
): void {
  const rowBytes = tile.width * PIXEL_BYTES
  for (let row = 0; row < tile.height; row++) {
    const at = ((sheet.top + row) * sheet.width + sheet.left) * PIXEL_BYTES
    rgb.copy(sheet.pixels, at, row * rowBytes, (row + 1) * rowBytes)
  }
}
