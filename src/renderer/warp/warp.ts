import { GRAIN_MASK, GRAIN_SIDE, grainPlace } from '../paint/i420.ts'
import type { Size } from './fit.ts'
import { CELL, type Mesh, POINT } from './mesh.ts'
import type { Texture } from './texture.ts'

/** Bits of a cell's side. */
const CELL_BITS = Math.log2(CELL)
/** The first and third byte of four neighbours: those on the left. */
const LEFT_PAIR = 0xff00ff
/** Chroma has an element for four of luma a side; its pixels stand half a luma pixel further on, a quarter of its own. */
const CHROMA_SHIFT = -0.25 * 2 ** POINT

export interface WarpSource {
  readonly texture: Texture
  readonly mesh: Mesh
  readonly grain: Int8Array
}

/**
 * Writes a frame: every pixel of it is read from the texture at the place that the mesh gives, blended from four
 * neighbours. The map is continuous, so that nothing tears and no background has to be made up.
 */
export function writeWarped(source: WarpSource, { width, height }: Size, frame: number, planes: Uint8Array): void {
  writeLuma(source, { width, height }, frame, planes)
  const quarter = (width * height) / 4
  const blue = planes.subarray(4 * quarter, 5 * quarter)
  const red = planes.subarray(5 * quarter, 6 * quarter)
  writeChroma(source, { width: width / 2, height: height / 2 }, { blue, red })
}

/**
 * The loop that meets every pixel. Two pixels at a time, everything in locals; `as number` stands where the index is
 * within bounds by construction. Blending left and right takes both rows at once, 16 bits for each: what the right has
 * more than the left is one number with a sign, and only the sum must fit into each half.
 */
function writeLuma({ texture, mesh, grain }: WarpSource, { width, height }: Size, frame: number, planes: Uint8Array) {
  const { quads, columns } = texture.luma
  const pairs = new Uint16Array(planes.buffer, planes.byteOffset, (width * height) / 2)
  const { across, down } = grainPlace(frame)
  let at = 0
  for (let row = 0; row < height; row++) {
    const inCell = row & (CELL - 1)
    const grainRow = ((row + down) & GRAIN_MASK) * GRAIN_SIDE
    let corner = (row >> CELL_BITS) * mesh.columns
    let rightX = between(mesh.x, corner, mesh.columns, inCell)
    let rightY = between(mesh.y, corner, mesh.columns, inCell)
    for (let column = 0; column < width; column += CELL) {
      corner += 1
      let x = rightX
      let y = rightY
      rightX = between(mesh.x, corner, mesh.columns, inCell)
      rightY = between(mesh.y, corner, mesh.columns, inCell)
      const stepX = (rightX - x) >> CELL_BITS
      const stepY = (rightY - y) >> CELL_BITS
      const end = column + CELL < width ? column + CELL : width
      for (let pixel = column; pixel < end; pixel += 2) {
        const a = quads[(y >> POINT) * columns + (x >> POINT)] as number
        const aLeft = a & LEFT_PAIR
        const aSides = (aLeft << 8) + Math.imul(((a >>> 8) & LEFT_PAIR) - aLeft, (x >> 8) & 255)
        const aUpper = aSides & 0xffff
        const aLuma = (aUpper << 8) + Math.imul((aSides >>> 16) - aUpper, (y >> 8) & 255)
        x += stepX
        y += stepY
        const b = quads[(y >> POINT) * columns + (x >> POINT)] as number
        const bLeft = b & LEFT_PAIR
        const bSides = (bLeft << 8) + Math.imul(((b >>> 8) & LEFT_PAIR) - bLeft, (x >> 8) & 255)
        const bUpper = bSides & 0xffff
        const bLuma = (bUpper << 8) + Math.imul((bSides >>> 16) - bUpper, (y >> 8) & 255)
        x += stepX
        y += stepY
        // 24 bits, of which four stay below the point until the grain, which is the dither, is added.
        const left = ((aLuma >>> 12) + (grain[grainRow + ((pixel + across) & GRAIN_MASK)] as number)) >> 4
        const right = ((bLuma >>> 12) + (grain[grainRow + ((pixel + 1 + across) & GRAIN_MASK)] as number)) >> 4
        pairs[at] = left | (right << 8)
        at += 1
      }
    }
  }
}

/** A coordinate on the edge between a corner of the mesh and the one below it, `eighths` of the way down. */
function between(coordinates: Int32Array, corner: number, columns: number, eighths: number): number {
  const from = coordinates[corner] as number
  return from + ((((coordinates[corner + columns] as number) - from) * eighths) >> CELL_BITS)
}

/** Pixels of chroma on a side of a mesh cell. */
const CHROMA_CELL = CELL / 2

/** The same for both chroma planes, whose pixels stand in the middle of four of luma. */
function writeChroma(
  { texture, mesh }: WarpSource,
  { width, height }: Size,
  { blue, red }: { blue: Uint8Array; red: Uint8Array },
): void {
  const { columns, quads: blueQuads } = texture.blue
  const redQuads = texture.red.quads
  for (let row = 0; row < height; row++) {
    const down = (row % CHROMA_CELL) * 2 + 0.5
    let corner = Math.floor(row / CHROMA_CELL) * mesh.columns
    let at = row * width
    for (let column = 0; column < width; column += CHROMA_CELL) {
      const left = alongEdge(mesh.x, corner, mesh.columns, down)
      const upper = alongEdge(mesh.y, corner, mesh.columns, down)
      corner += 1
      // For each pixel of chroma, which is two of luma; in elements of chroma, which are four of luma.
      const stepX = ((alongEdge(mesh.x, corner, mesh.columns, down) - left) / (CHROMA_CELL * 4)) | 0
      const stepY = ((alongEdge(mesh.y, corner, mesh.columns, down) - upper) / (CHROMA_CELL * 4)) | 0
      let x = (left / 4 + stepX / 4 + CHROMA_SHIFT) | 0
      let y = (upper / 4 + stepY / 4 + CHROMA_SHIFT) | 0
      const end = column + CHROMA_CELL < width ? column + CHROMA_CELL : width
      for (let pixel = column; pixel < end; pixel++) {
        const element = (y >> POINT) * columns + (x >> POINT)
        const right = (x >> 8) & 255
        const below = (y >> 8) & 255
        blue[at] = blend(blueQuads[element] as number, right, below)
        red[at] = blend(redQuads[element] as number, right, below)
        x += stepX
        y += stepY
        at += 1
      }
    }
  }
}

function alongEdge(coordinates: Int32Array, corner: number, columns: number, pixels: number): number {
  const from = coordinates[corner] as number
  return from + (((coordinates[corner + columns] as number) - from) * pixels) / CELL
}

function blend(four: number, right: number, below: number): number {
  const left = four & LEFT_PAIR
  const sides = (left << 8) + Math.imul(((four >>> 8) & LEFT_PAIR) - left, right)
  const upper = sides & 0xffff
  return ((upper << 8) + Math.imul((sides >>> 16) - upper, below) + 0x8000) >>> 16
}
