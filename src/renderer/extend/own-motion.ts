import { boxBlur, type Raster, raster } from '../warp/raster.ts'
import { type CameraMotion, readAt } from './camera-motion.ts'
import type { Pyramid } from './luma-pyramid.ts'

/** How things moved by themselves, beyond the camera's motion: a coarse map, in pixels of the frame for each frame. */
export interface OwnMotion {
  readonly right: Raster
  readonly down: Raster
}

/** Places on the long side of the map. */
const PLACES = 20
const ITERATIONS = 3
/** What a place must show, as the squared slope of luma for each pixel, before its motion is believed by half. */
const LEAST_TEXTURE = 5
/** The level of the pyramid that is looked at. */
const LEVEL = 0

export function ownMotion(before: Pyramid, after: Pyramid, camera: CameraMotion): OwnMotion | undefined {
  const [from, to] = [before.levels[LEVEL], after.levels[LEVEL]]
  if (from === undefined || to === undefined) return undefined
  const scale = before.step * 2 ** LEVEL
  const cell = Math.max(from.width, from.height) / PLACES
  const size = { width: Math.ceil(from.width / cell), height: Math.ceil(from.height / cell) }
  const found = Array.from({ length: size.width * size.height }, (_, index) => {
    const x = (((index % size.width) + 0.5) / size.width) * from.width
    const y = ((Math.floor(index / size.width) + 0.5) / size.height) * from.height
    return motionAt(from, to, {
      x,
      y,
      reach: cell,
      camera: { ...camera, right: camera.right / scale, down: camera.down / scale },
    })
  })
  const smooth = (of: Raster) => boxBlur(boxBlur(of, 1), 1)
  return {
    right: smooth(raster(size, (index) => (found[index]?.right ?? 0) * scale)),
    down: smooth(raster(size, (index) => (found[index]?.down ?? 0) * scale)),
  }
}

interface Around {
  readonly x: number
  readonly y: number
  readonly reach: number
  readonly camera: CameraMotion
}

/** The motion of a square around a place, by the steps of Lucas and Kanade, held to the camera's where little is seen. */
function motionAt(from: Raster, to: Raster, { x, y, reach, camera }: Around): { right: number; down: number } {
  const { width, height } = from
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  const [left, top] = [Math.max(1, Math.round(x - reach)), Math.max(1, Math.round(y - reach))]
  const [end, bottom] = [Math.min(width - 2, Math.round(x + reach)), Math.min(height - 2, Math.round(y + reach))]
  let [right, down] = [0, 0]
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    let [xx, xy, yy, xm, ym, count] = [0, 0, 0, 0, 0, 0]
    // Every second pixel of every second row says as much as all of them.
    for (let row = top; row <= bottom; row += 2) {
      for (let column = left; column <= end; column += 2) {
        const [aside, below] = [column - middleX, row - middleY]
        const toX = column + camera.zoom * aside - camera.turn * below + camera.right + right
        const toY = row + camera.turn * aside + camera.zoom * below + camera.down + down
        if (toX < 1 || toY < 1 || toX > width - 2 || toY > height - 2) continue
        const across = readAt(to, toX + 0.5, toY) - readAt(to, toX - 0.5, toY)
        const along = readAt(to, toX, toY + 0.5) - readAt(to, toX, toY - 0.5)
        const missing = (from.values[row * width + column] as number) - readAt(to, toX, toY)
        xx += across * across
        xy += across * along
        yy += along * along
        xm += across * missing
        ym += along * missing
        count += 1
      }
    }
    const doubt = LEAST_TEXTURE * count + 1
    const whole = (xx + doubt) * (yy + doubt) - xy * xy
    right += ((yy + doubt) * xm - xy * ym) / whole
    down += ((xx + doubt) * ym - xy * xm) / whole
  }
  // Faster than this it was not followed but lost.
  return Math.hypot(right, down) > reach / 2 ? { right: 0, down: 0 } : { right, down }
}
