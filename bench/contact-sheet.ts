/**
 * Draws docs/contact-sheet.jpg: a frame of every scene, several lights, modes and ratios, exactly as they are encoded.
 * Run it alone: `node --import tsx bench/contact-sheet.ts`.
 */

import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Canvas, createCanvas } from '@napi-rs/canvas'
import type { AspectRatio, GenerationRequest, Mode } from '../src/canonical/generation.ts'
import { createPicture, type Picture } from '../src/renderer/picture.ts'
import { storyboard } from '../src/renderer/storyboard/storyboard.ts'

interface Frame {
  readonly prompt: string
  readonly ratio?: AspectRatio
  readonly mode?: Mode
  readonly seed?: number
}

/** Row by row; a row is scaled to the width of the sheet. */
const ROWS: readonly (readonly Frame[])[] = [
  [{ prompt: 'A cinematic product reveal with smooth camera movement' }, { prompt: 'mountains at sunset' }],
  [{ prompt: 'A kitten chasing a butterfly in a sunlit garden' }, { prompt: 'neon city at night, pink', seed: 4 }],
  [
    { prompt: 'sea at sunset', ratio: '2:3', seed: 2 },
    { prompt: 'forest in the morning', ratio: '2:3' },
    { prompt: 'rainy street at night', ratio: '2:3' },
    { prompt: 'snow at night', ratio: '2:3' },
    { prompt: 'an orange galaxy', ratio: '2:3', seed: 3 },
  ],
  [
    { prompt: 'desert caravan at sunset', seed: 3 },
    { prompt: 'the sea by day', mode: 'fun', seed: 5 },
  ],
  [
    { prompt: 'a dream', ratio: '1:1', mode: 'fun', seed: 4 },
    { prompt: 'mountains at dawn', ratio: '1:1', seed: 5 },
    { prompt: 'golden perfume bottle', ratio: '1:1', mode: 'spicy', seed: 7 },
    { prompt: 'winter morning', ratio: '1:1', seed: 4 },
  ],
  [{ prompt: 'galaxy' }, { prompt: 'meadow at sunset', mode: 'spicy', seed: 3 }],
]

/** Pixels. */
const SHEET_WIDTH = 1280
const GAP = 6
/** Keeps the file under 300 kB. */
const JPEG_QUALITY = 78
/** Where in the clip each frame is taken, 0–1. */
const MOMENT = 0.58

/** A frame's planes (BT.709, tv range) as pixels again. */
function toCanvas(picture: Picture): Canvas {
  const { width, height } = picture
  const planes = picture.planes(Math.round((picture.framesTotal - 1) * MOMENT))
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  const image = context.createImageData(width, height)
  for (let at = 0; at < width * height; at++) {
    const chromaAt = width * height + (Math.floor(at / width) >> 1) * (width >> 1) + ((at % width) >> 1)
    const luma = ((planes[at] ?? 16) - 16) * 1.1644
    const blue = (planes[chromaAt] ?? 128) - 128
    const red = (planes[chromaAt + (width * height) / 4] ?? 128) - 128
    image.data.set([luma + 1.7927 * red, luma - 0.2132 * blue - 0.5329 * red, luma + 2.1124 * blue, 255], at * 4)
  }
  context.putImageData(image, 0, 0)
  return canvas
}

function drawFrame({ prompt, ratio = '16:9', mode = 'normal', seed = 1 }: Frame): Canvas {
  const request: GenerationRequest = {
    model: 'contact-sheet',
    operation: 'generate',
    prompt,
    durationSeconds: 6,
    resolution: '480p',
    aspectRatio: ratio,
    mode,
    seed,
    references: [],
  }
  return toCanvas(createPicture(request, storyboard(request)))
}

const rows = ROWS.map((row) => row.map(drawFrame)).map((frames) => {
  const room = SHEET_WIDTH - GAP * (frames.length + 1)
  return { frames, height: Math.round(room / frames.reduce((sum, { width, height }) => sum + width / height, 0)) }
})
const sheet = createCanvas(
  SHEET_WIDTH,
  rows.reduce((sum, { height }) => sum + height + GAP, GAP),
)
const context = sheet.getContext('2d')
context.fillStyle = '#0c0d12'
context.fillRect(0, 0, sheet.width, sheet.height)
context.imageSmoothingQuality = 'high'
let y = GAP
for (const { frames, height } of rows) {
  let x = GAP
  for (const frame of frames) {
    const width = (frame.width / frame.height) * height
    context.drawImage(frame, x, y, width, height)
    x += width + GAP
  }
  y += height + GAP
}
const jpeg = sheet.toBuffer('image/jpeg', JPEG_QUALITY)
await writeFile(fileURLToPath(new URL('../docs/contact-sheet.jpg', import.meta.url)), jpeg)
console.log(`docs/contact-sheet.jpg, ${sheet.width} × ${sheet.height}, ${Math.round(jpeg.length / 1000)} kB`)
