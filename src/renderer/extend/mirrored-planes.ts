import type { Size } from '../warp/fit.ts'
import type { Planes } from '../warp/texture.ts'

/** Pixels of luma beyond each edge. */
export interface Margins {
  /** Even. */
  readonly across: number
  readonly down: number
}

/**
 * Planes with themselves mirrored beyond each edge: what comes into sight there goes on as the picture ends. Luma is held
 * to the tv range: blacker than black and whiter than white look no different, and grain would carry them out of a byte.
 */
export function mirroredPlanes(planes: Uint8Array, { width, height }: Size, { across, down }: Margins): Planes & Size {
  const pixels = width * height
  const half = { width: width / 2, height: height / 2 }
  const margins = { across: across / 2, down: down / 2 }
  return {
    width: width + 2 * across,
    height: height + 2 * down,
    luma: mirrored(planes.subarray(0, pixels), { width, height }, { across, down }).map(withinTvRange),
    blue: mirrored(planes.subarray(pixels, pixels * 1.25), half, margins),
    red: mirrored(planes.subarray(pixels * 1.25, pixels * 1.5), half, margins),
  }
}

function mirrored(plane: Uint8Array, { width, height }: Size, { across, down }: Margins): Uint8Array {
  const wide = new Uint8Array((width + 2 * across) * (height + 2 * down))
  let at = 0
  for (let row = -down; row < height + down; row++) {
    const start = fold(row, height) * width
    for (let column = -across; column < width + across; column++) {
      wide[at] = plane[start + fold(column, width)] as number
      at += 1
    }
  }
  return wide
}

function withinTvRange(luma: number): number {
  return luma < 16 ? 16 : Math.min(luma, 235)
}

/** Back inside, by mirrors at both edges. */
function fold(place: number, length: number): number {
  const folded = place < 0 ? -1 - place : place
  return folded < length ? folded : 2 * length - 1 - folded
}
