import type { Box, Size } from './fit.ts'
import { type Raster, sampleAt } from './raster.ts'
import { FAR_SHARE, PIVOT, type StillView } from './still-camera.ts'
import { LUMA_PAD } from './texture.ts'

/** Pixels on a side of a mesh cell, a power of two: nearness is smoother than that, and within a cell all is straight. */
export const CELL = 8
/** Bits after the point of a mesh's coordinates. */
export const POINT = 16

/** For the corners of all cells of a frame, where in the texture's luma they are read. Fixed point. */
export interface Mesh {
  readonly columns: number
  readonly rows: number
  readonly x: Int32Array
  readonly y: Int32Array
}

/** How often the place that is seen is looked for again with the nearness found there; a fourth moves it by 0.01 pixels. */
const STEPS = 3

/** What a mesh is aimed at. */
export interface MeshPicture extends Size {
  readonly frame: Box
  readonly nearness: Raster
}

export function createMesh({ width, height }: Size): Mesh {
  const [columns, rows] = [Math.ceil(width / CELL) + 1, Math.ceil(height / CELL) + 1]
  return { columns, rows, x: new Int32Array(columns * rows), y: new Int32Array(columns * rows) }
}

/**
 * Points a mesh as a view asks. What stands at q in the picture is seen at c + (q − c) · zoom − way, where zoom and way
 * depend on how near it is; here q is sought for every corner, so the nearness is that of what will be seen there.
 */
export function aimMesh(mesh: Mesh, picture: MeshPicture, view: StillView): void {
  const { frame } = picture
  const scale = 2 ** (POINT + 1)
  const pad = LUMA_PAD * 2 ** POINT
  const place = { x: 0, y: 0 }
  for (let row = 0; row < mesh.rows; row++) {
    for (let column = 0; column < mesh.columns; column++) {
      place.x = column * CELL
      place.y = row * CELL
      seek(picture, view, place)
      const index = row * mesh.columns + column
      mesh.x[index] = Math.round(within(place.x + frame.left, picture.width) * scale) + pad
      mesh.y[index] = Math.round(within(place.y + frame.top, picture.height) * scale) + pad
    }
  }
}

/** Keeps a coordinate inside what the texture has, with its padding. */
function within(coordinate: number, length: number): number {
  const reach = LUMA_PAD / 2 - 1
  return Math.min(length - 1 + reach, Math.max(-reach, coordinate))
}

/** Turns a pixel of the frame into the pixel, of the frame as it was fitted, that a view shows there. */
export function seek(
  { width, height, frame, nearness }: MeshPicture,
  view: StillView,
  place: { x: number; y: number },
): void {
  const [middleX, middleY] = [(frame.width - 1) / 2, (frame.height - 1) / 2]
  const { x, y } = place
  for (let step = 0; step < STEPS; step++) {
    const across = ((place.x + frame.left + 0.5) / width) * nearness.width - 0.5
    const down = ((place.y + frame.top + 0.5) / height) * nearness.height - 0.5
    const near = sampleAt(nearness, across, down)
    const share = FAR_SHARE + (1 - FAR_SHARE) * near
    const zoom = 1 + (view.zoom - 1) * share
    place.x = middleX + (x - middleX + 2 * middleX * (view.x * share + view.turn * (near - PIVOT))) / zoom
    place.y = middleY + (y - middleY + 2 * middleY * view.y * share) / zoom
  }
}
