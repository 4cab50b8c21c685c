import { createCanvas } from '@napi-rs/canvas'
import { placeSprite, type Sprite } from './stage.ts'

/** Pixels across one strip: about a building. Narrower strips trim little more, and each is a call to the canvas. */
const STRIP_WIDTH = 48
/** Pixels that a strip shares with the next: where both end, smoothing would leave a seam. */
const OVERLAP = 2

/**
 * Cuts a sprite into upright strips without the emptiness above each, for what is scaled costs as much where there is
 * nothing to see. Only for what is opaque or empty, such as a skyline: the strips overlap.
 */
export function cutIntoStrips(sprite: Sprite): readonly Sprite[] {
  const { width } = sprite.canvas
  const tops = topsOf(sprite)
  const strips: Sprite[] = []
  for (let left = 0; left < width; left += STRIP_WIDTH) {
    const right = Math.min(width, left + STRIP_WIDTH + OVERLAP)
    const strip = cut(sprite, { left, right, top: Math.min(...tops.subarray(left, right)) })
    if (strip !== undefined) strips.push(strip)
  }
  return strips
}

function cut(
  { canvas, x, y }: Sprite,
  { left, right, top }: { left: number; right: number; top: number },
): Sprite | undefined {
  if (top === canvas.height) return undefined
  const strip = createCanvas(right - left, canvas.height - top)
  placeSprite(strip.getContext('2d'), { canvas, x: -left, y: -top })
  return { canvas: strip, x: x + left, y: y + top }
}

/** The first row of each column where anything is seen; the height where there is nothing. */
function topsOf({ canvas }: Sprite): Uint32Array {
  const { width, height } = canvas
  const pixels = canvas.data()
  return Uint32Array.from({ length: width }, (_, column) => {
    for (let row = 0; row < height; row++) if (pixels[(row * width + column) * 4 + 3] !== 0) return row
    return height
  })
}
