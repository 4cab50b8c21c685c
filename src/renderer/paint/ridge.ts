import { Path2D } from '@napi-rs/canvas'
import type { Stage } from './stage.ts'

/** A height (frame pixels from the top) for each place across the frame. */
export type Profile = (x: number) => number

/** Pixels between the points of a ridge at 480p: finer shows no difference. */
const STEP_SHARE = 0.005

/** The area under a profile, over the whole width that a camera can show. */
export function ridgePath(stage: Stage, profile: Profile): Path2D {
  const path = new Path2D()
  const step = Math.max(2, stage.width * STEP_SHARE)
  const [left, right] = [stage.left - step * 4, stage.right + step * 4]
  path.moveTo(left, stage.bottom + stage.height)
  for (let x = left; x <= right; x += step) path.lineTo(x, profile(x))
  path.lineTo(right, stage.bottom + stage.height)
  path.closePath()
  return path
}
