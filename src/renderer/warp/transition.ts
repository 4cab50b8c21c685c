import type { Size } from './fit.ts'

/** Blends the planes of one shot into those of another: `share` of 1 shows the second alone. Written over the first. */
export function dissolve(first: Uint8Array, second: Uint8Array, share: number): void {
  const weight = Math.round(soft(share) * 256)
  for (let at = 0; at < first.length; at++) {
    const from = first[at] as number
    first[at] = from + ((((second[at] as number) - from) * weight + 128) >> 8)
  }
}

/** Moves the first out to the left while the second follows it in from the right. Written over the first. */
export function push(first: Uint8Array, second: Uint8Array, { width, height }: Size, share: number): void {
  const quarter = (width * height) / 4
  // An even number of pixels, for chroma moves by half of it.
  const gone = 2 * Math.round((soft(share) * width) / 2)
  pushPlane(first, second, { from: 0, width, height, gone })
  pushPlane(first, second, { from: 4 * quarter, width: width / 2, height: height / 2, gone: gone / 2 })
  pushPlane(first, second, { from: 5 * quarter, width: width / 2, height: height / 2, gone: gone / 2 })
}

interface PushedPlane extends Size {
  /** Where the plane starts. */
  readonly from: number
  /** Pixels that the first has moved. */
  readonly gone: number
}

function pushPlane(first: Uint8Array, second: Uint8Array, { from, width, height, gone }: PushedPlane): void {
  for (let row = 0; row < height; row++) {
    const start = from + row * width
    first.copyWithin(start, start + gone, start + width)
    first.set(second.subarray(start, start + gone), start + width - gone)
  }
}

function soft(share: number): number {
  return share * share * (3 - 2 * share)
}
