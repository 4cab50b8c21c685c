import type { Path2D } from '@napi-rs/canvas'
import { downwards, type Stop } from './gradient.ts'
import type { Layer } from './stage.ts'

/** A layer that is one shape, filled from one height to another: crisp at any zoom, and quicker than a picture of it. */
export function silhouette(
  path: Path2D,
  { depth, from, to, stops }: { depth: number; from: number; to: number; stops: readonly Stop[] },
): Layer {
  const fill = downwards([from, to], stops)
  return {
    depth,
    paint(context) {
      context.fillStyle = fill
      context.fill(path)
    },
  }
}
