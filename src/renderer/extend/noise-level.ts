import type { Size } from '../warp/fit.ts'
import type { CameraMotion } from './camera-motion.ts'

/** Side of the squares that are compared, in pixels. */
const SIDE = 16
/** Of all squares, the share that is calmer than the one that counts: what is left in calm ones is noise. */
const CALM_SHARE = 0.3

/**
 * How much noise changes from frame to frame: the standard deviation, in steps of luma, that fresh grain must have to
 * flicker as the source did. From the differences of two frames where they differ least, the camera's motion taken out.
 */
export function noiseLevel(
  before: Uint8Array,
  after: Uint8Array,
  { width, height, camera }: Size & { camera: CameraMotion },
): number {
  const deviations: number[] = []
  for (let top = 0; top + SIDE <= height; top += SIDE) {
    for (let left = 0; left + SIDE <= width; left += SIDE) {
      const [x, y] = [left + SIDE / 2 - width / 2, top + SIDE / 2 - height / 2]
      const right = Math.round(camera.zoom * x - camera.turn * y + camera.right)
      const down = Math.round(camera.turn * x + camera.zoom * y + camera.down)
      if (left + right < 0 || top + down < 0 || left + right + SIDE > width || top + down + SIDE > height) continue
      deviations.push(deviation(before, after, { width, from: top * width + left, shift: down * width + right }))
    }
  }
  const calm = deviations.sort((a, b) => a - b)[Math.floor(deviations.length * CALM_SHARE)] ?? 0
  return calm / Math.SQRT2
}

function deviation(
  before: Uint8Array,
  after: Uint8Array,
  { width, from, shift }: { width: number; from: number; shift: number },
): number {
  let [sum, squares] = [0, 0]
  for (let row = 0; row < SIDE; row++) {
    for (let at = from + row * width; at < from + row * width + SIDE; at++) {
      const change = (after[at + shift] as number) - (before[at] as number)
      sum += change
      squares += change * change
    }
  }
  const count = SIDE * SIDE
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))
}
