import type { StillView } from '../warp/still-camera.ts'

/** Where along one side each pixel of a plane is read: the pixel before it, and the share of the one after, of 256. */
interface Places {
  readonly before: Int32Array
  readonly share: Int32Array
}

/** Writes what a view shows of planes (I420) into others of the same size. A view never reaches beyond them. */
export function zoomPlanes(
  source: Uint8Array,
  target: Uint8Array,
  { width, height, view }: { width: number; height: number; view: StillView },
): void {
  const pixels = width * height
  const planes = [
    { start: 0, across: width, down: height },
    { start: pixels, across: width / 2, down: height / 2 },
    { start: pixels * 1.25, across: width / 2, down: height / 2 },
  ]
  for (const { start, across, down } of planes) {
    const [columns, rows] = [places(across, view.x + view.turn / 2, view.zoom), places(down, view.y, view.zoom)]
    const end = start + across * down
    zoomPlane(source.subarray(start, end), target.subarray(start, end), { columns, rows })
  }
}

function places(length: number, shift: number, zoom: number): Places {
  const [before, share] = [new Int32Array(length), new Int32Array(length)]
  const middle = (length - 1) / 2
  for (let index = 0; index < length; index++) {
    const place = Math.min(length - 1, Math.max(0, middle + (index - middle + shift * length) / zoom))
    before[index] = Math.min(length - 2, Math.floor(place))
    share[index] = Math.round((place - (before[index] ?? 0)) * 256)
  }
  return { before, share }
}

/** `as number` stands where the index is within bounds by construction. */
function zoomPlane(source: Uint8Array, target: Uint8Array, { columns, rows }: { columns: Places; rows: Places }): void {
  const width = columns.before.length
  let at = 0
  for (let row = 0; row < rows.before.length; row++) {
    const upper = (rows.before[row] as number) * width
    const down = rows.share[row] as number
    for (let column = 0; column < width; column++) {
      const from = upper + (columns.before[column] as number)
      const right = columns.share[column] as number
      const a = source[from] as number
      const b = source[from + width] as number
      const above = (a << 8) + ((source[from + 1] as number) - a) * right
      const below = (b << 8) + ((source[from + width + 1] as number) - b) * right
      target[at] = ((above << 8) + (below - above) * down + 0x8000) >> 16
      at += 1
    }
  }
}
