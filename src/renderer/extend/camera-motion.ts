/**
 * How the camera moved between two pictures: the shift, zoom and turn that lay the one over the other best, found by
 * Gauss-Newton steps from the smallest level of a pyramid to the largest. What moves by itself counts less at each step.
 */
import type { Raster } from '../warp/raster.ts'
import type { Pyramid } from './luma-pyramid.ts'

/** For each frame: a point at (x, y) from the middle is next at (x + zoom·x − turn·y + right, y + turn·x + zoom·y + down). */
export interface CameraMotion {
  readonly zoom: number
  /** Radians, small. */
  readonly turn: number
  /** Pixels of the frame. */
  readonly right: number
  readonly down: number
}

export const NO_MOTION: CameraMotion = { zoom: 0, turn: 0, right: 0, down: 0 }

/** Steps on each level. */
const ITERATIONS = 7
/** Steps of luma: a difference this large counts half. */
const DOUBT = 6
/** Mean difference, in steps of luma, above which two pictures are not of one shot. */
const OTHER_SHOT = 20
/** Of the difference of two pictures that stand still, how much a motion must explain to be believed. */
const LEAST_GAIN = 0.06

/** The motion from one picture to the next; nothing when they are not of one shot. */
export function cameraMotion(before: Pyramid, after: Pyramid): CameraMotion | undefined {
  let [zoom, turn, right, down] = [0, 0, 0, 0]
  for (let level = before.levels.length - 1; level >= 0; level--) {
    const [from, to] = [before.levels[level], after.levels[level]]
    if (from === undefined || to === undefined) continue
    const motion = [zoom, turn, right * 2, down * 2] as const
    const found = level === before.levels.length - 1 ? refine(from, to, [0, 0, 0, 0]) : refine(from, to, motion)
    ;[zoom, turn, right, down] = found
  }
  const [from, to] = [before.levels[0], after.levels[0]]
  if (from === undefined || to === undefined) return undefined
  const still = difference(from, to, [0, 0, 0, 0])
  const moved = difference(from, to, [zoom, turn, right, down])
  if (Math.min(still, moved) > OTHER_SHOT) return undefined
  if (moved > still * (1 - LEAST_GAIN)) return NO_MOTION
  return { zoom, turn, right: right * before.step, down: down * before.step }
}

type Parameters = readonly [zoom: number, turn: number, right: number, down: number]

function refine(from: Raster, to: Raster, start: Parameters): Parameters {
  let motion = start
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const [change, isDone] = step(from, to, motion)
    motion = [motion[0] + change[0], motion[1] + change[1], motion[2] + change[2], motion[3] + change[3]]
    if (isDone) break
  }
  return motion
}

/** Shares of a pixel under which a step is the last. */
const FINE = 0.002

function step(from: Raster, to: Raster, motion: Parameters): readonly [Parameters, boolean] {
  const { width, height } = from
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  const sums = new Float64Array(20)
  const slopes = new Float64Array(4)
  for (let row = 1; row < height - 1; row++) {
    const y = row - middleY
    for (let column = 1; column < width - 1; column++) {
      const x = column - middleX
      const toX = column + motion[0] * x - motion[1] * y + motion[2]
      const toY = row + motion[1] * x + motion[0] * y + motion[3]
      if (toX < 1 || toY < 1 || toX > width - 2 || toY > height - 2) continue
      const across = (readAt(to, toX + 0.5, toY) - readAt(to, toX - 0.5, toY)) as number
      const along = (readAt(to, toX, toY + 0.5) - readAt(to, toX, toY - 0.5)) as number
      const missing = (from.values[row * width + column] as number) - readAt(to, toX, toY)
      const weight = 1 / (1 + (missing / DOUBT) ** 2)
      slopes[0] = across * x + along * y
      slopes[1] = along * x - across * y
      slopes[2] = across
      slopes[3] = along
      for (let i = 0; i < 4; i++) {
        const slope = (slopes[i] as number) * weight
        for (let j = i; j < 4; j++) sums[i * 4 + j] = (sums[i * 4 + j] as number) + slope * (slopes[j] as number)
        sums[16 + i] = (sums[16 + i] as number) + slope * missing
      }
    }
  }
  const change = solve(sums)
  const reach = Math.max(width, height) / 2
  const size = Math.max(Math.abs(change[2]), Math.abs(change[3]), Math.hypot(change[0], change[1]) * reach)
  return [change, size < FINE]
}

/** Solves the four normal equations by elimination. Where the picture says nothing, nothing moves. */
function solve(sums: Float64Array): Parameters {
  const rows = [0, 1, 2, 3].map((i) => {
    const row = [0, 1, 2, 3].map((j) => sums[Math.min(i, j) * 4 + Math.max(i, j)] ?? 0)
    row[i] = (row[i] ?? 0) * (1 + 1e-6) + 1e-3
    return [...row, sums[16 + i] ?? 0]
  })
  for (const [pivot, row] of rows.entries()) {
    const scale = row[pivot] ?? 1
    for (let j = pivot; j < 5; j++) row[j] = (row[j] ?? 0) / scale
    for (const [other, target] of rows.entries()) {
      if (other === pivot) continue
      const factor = target[pivot] ?? 0
      for (let j = pivot; j < 5; j++) target[j] = (target[j] ?? 0) - factor * (row[j] ?? 0)
    }
  }
  const [zoom, turn, right, down] = rows.map((row) => row[4] ?? 0)
  return [zoom ?? 0, turn ?? 0, right ?? 0, down ?? 0]
}

/** Mean difference of two pictures, the one moved; only where both are seen. */
function difference(from: Raster, to: Raster, motion: Parameters): number {
  const { width, height } = from
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  let [sum, count] = [0, 0]
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      const [x, y] = [column - middleX, row - middleY]
      const toX = column + motion[0] * x - motion[1] * y + motion[2]
      const toY = row + motion[1] * x + motion[0] * y + motion[3]
      if (toX < 0 || toY < 0 || toX > width - 1 || toY > height - 1) continue
      sum += Math.abs((from.values[row * width + column] as number) - readAt(to, toX, toY))
      count += 1
    }
  }
  return count === 0 ? Number.POSITIVE_INFINITY : sum / count
}

/** Value between pixels; the place is inside. */
export function readAt({ width, height, values }: Raster, x: number, y: number): number {
  const column = Math.min(width - 2, x | 0)
  const row = Math.min(height - 2, y | 0)
  const [right, down] = [x - column, y - row]
  const at = row * width + column
  const above = (values[at] as number) + ((values[at + 1] as number) - (values[at] as number)) * right
  const left = values[at + width] as number
  return above + (left + ((values[at + width + 1] as number) - left) * right - above) * down
}
