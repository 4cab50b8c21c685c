import { GRAIN_MASK, GRAIN_SIDE, grainPlace } from '../paint/i420.ts'
import { seededRandom } from '../storyboard/seeded-random.ts'
import type { Size } from '../warp/fit.ts'

/** Adds noise of a standard deviation, in steps of luma, to planes where they stand: that of a camera in the dark. */
export function createStrongNoise(
  { width, height, seed }: Size & { seed: number },
  level: number,
): (planes: Uint8Array, frame: number) => void {
  const random = seededRandom(seed)
  const tile = Int16Array.from({ length: GRAIN_SIDE * GRAIN_SIDE }, () =>
    Math.round((random() + random() + random() + random() - 2) * Math.sqrt(3) * level),
  )
  return (planes, frame) => {
    const { across, down } = grainPlace(frame)
    let at = 0
    for (let row = 0; row < height; row++) {
      const line = ((row + down) & GRAIN_MASK) * GRAIN_SIDE
      for (let column = across; column < width + across; column++) {
        const noisy = (planes[at] as number) + (tile[line + (column & GRAIN_MASK)] as number)
        planes[at] = noisy < 16 ? 16 : Math.min(235, noisy)
        at += 1
      }
    }
  }
}
