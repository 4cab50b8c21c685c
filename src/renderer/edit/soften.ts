/** Pixels of the plane, in each direction, for one of the small copy that is blurred. */
const STEP = 4

/** How the soft copy of a plane is laid over it. */
export type Softening = 'blur' | 'glow'

/**
 * Softens one plane where it stands: towards a blurred copy of itself, or by adding the light of one (`glow`). `share` is
 * 0 to 1. The copy is made small, blurred there, and drawn large again in straight lines: it has no detail to lose.
 */
export function soften(
  plane: Uint8Array,
  {
    width,
    height,
    share,
    radius,
    how,
  }: { width: number; height: number; share: number; radius: number; how: Softening },
): void {
  const small = shrink(plane, width, height)
  for (let pass = 0; pass < 2; pass++) {
    blurLines(small, { lines: small.rows, step: small.columns, length: small.columns, stride: 1, radius })
    blurLines(small, { lines: small.columns, step: 1, length: small.rows, stride: small.columns, radius })
  }
  const weight = Math.round(share * 256)
  const line = new Int32Array(small.columns + 1)
  for (let row = 0; row < height; row++) {
    stretchedLine(small, (row + 0.5) / STEP - 0.5, line)
    layLine(plane.subarray(row * width, (row + 1) * width), { line, weight, how })
  }
}

interface Small {
  readonly values: Uint8Array
  readonly columns: number
  readonly rows: number
}

function shrink(plane: Uint8Array, width: number, height: number): Small {
  const [columns, rows] = [Math.ceil(width / STEP), Math.ceil(height / STEP)]
  const values = new Uint8Array(columns * rows)
  for (let row = 0; row < rows; row++) {
    const upper = Math.min(height - 1, row * STEP + 1) * width
    const lower = Math.min(height - 1, row * STEP + 2) * width
    for (let column = 0; column < columns; column++) {
      const left = Math.min(width - 1, column * STEP + 1)
      const right = Math.min(width - 1, column * STEP + 2)
      values[row * columns + column] =
        ((plane[upper + left] as number) +
          (plane[upper + right] as number) +
          (plane[lower + left] as number) +
          (plane[lower + right] as number)) >>
        2
    }
  }
  return { values, columns, rows }
}

/** A running mean over each line; two of them, in both directions, are nearly a Gaussian. */
function blurLines(
  { values }: Small,
  {
    lines,
    step,
    length,
    stride,
    radius,
  }: { lines: number; step: number; length: number; stride: number; radius: number },
): void {
  const copy = new Uint8Array(length)
  const size = radius * 2 + 1
  for (let index = 0; index < lines; index++) {
    const start = index * step
    for (let at = 0; at < length; at++) copy[at] = values[start + at * stride] as number
    let sum = (copy[0] as number) * (radius + 1)
    for (let at = 1; at <= radius; at++) sum += copy[Math.min(length - 1, at)] as number
    for (let at = 0; at < length; at++) {
      values[start + at * stride] = Math.round(sum / size)
      sum += (copy[Math.min(length - 1, at + radius + 1)] as number) - (copy[Math.max(0, at - radius)] as number)
    }
  }
}

/** The small copy's line at a height between two of its rows, times 256; its last value twice. */
function stretchedLine({ values, columns, rows }: Small, height: number, line: Int32Array): void {
  const upper = Math.min(rows - 1, Math.max(0, Math.floor(height)))
  const lower = Math.min(rows - 1, upper + 1)
  const share = Math.round(Math.min(1, Math.max(0, height - upper)) * 256)
  for (let column = 0; column < columns; column++) {
    const from = values[upper * columns + column] as number
    line[column] = from * 256 + ((values[lower * columns + column] as number) - from) * share
  }
  line[columns] = line[columns - 1] as number
}

function layLine(
  target: Uint8Array,
  { line, weight, how }: { line: Int32Array; weight: number; how: Softening },
): void {
  for (let column = 0; column < target.length; column++) {
    const place = Math.max(0, column * 2 - (STEP - 1))
    const cell = (place / (STEP * 2)) | 0
    const from = line[cell] as number
    const soft = (from + ((((line[cell + 1] as number) - from) * (place - cell * STEP * 2)) >> 3)) >> 8
    const sharp = target[column] as number
    // Light that is added fills up towards white, and only what is brighter than dark grey glows.
    const change = how === 'blur' ? (soft - sharp) * weight : ((235 - sharp) * Math.max(0, soft - 64) * weight) >> 8
    target[column] = sharp + (change >> 8)
  }
}
