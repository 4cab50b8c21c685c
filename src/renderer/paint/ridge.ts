import { Path2D } from '@napi-rs/canvas'
import { css } from './colour.ts'
import { downwards, type Stop } from './gradient.ts'
import type { Layer, Stage } from './stage.ts'

/** A height (frame pixels from the top) for each place across the frame. */
export type Profile = (x: number) => number

/** Pixels between the points of a ridge at 480p: finer shows no difference. */
const STEP_SHARE = 0.005

/** The area under a profile, over the whole width that a camera can show, down to `floor`: below all frames unless said. */
export function ridgePath(stage: Stage, profile: Profile, floor = stage.bottom + stage.height): Path2D {
  const path = new Path2D()
  const { left, right } = ridgeReach(stage)
  path.moveTo(left, floor)
  for (const x of ridgeSteps(stage)) path.lineTo(x, profile(x))
  path.lineTo(right, floor)
  path.closePath()
  return path
}

/** Pixels by which the upper and the lower part of a ridge overlap, or their soft edges would leave a seam. */
const OVERLAP = 2

/**
 * A ridge that is filled from one height to another, opaque. A gradient costs five times what a flat colour does, so it
 * ends where it has come to its last colour and the ridge has come to its full width.
 */
export function ridge(
  stage: Stage,
  profile: Profile,
  { depth, from, to, stops }: { depth: number; from: number; to: number; stops: readonly [Stop, ...Stop[]] },
): Layer {
  const { left, right } = ridgeReach(stage)
  const floor = Math.max(to, ...Array.from(ridgeSteps(stage), profile))
  const path = ridgePath(stage, profile, floor + OVERLAP)
  const fill = downwards([from, to], stops)
  const [, lastColour] = stops[stops.length - 1] ?? stops[0]
  const flat = css(lastColour)
  return {
    depth,
    paint(context) {
      context.fillStyle = fill
      context.fill(path)
      context.fillStyle = flat
      context.fillRect(left, floor, right - left, stage.bottom + stage.height - floor)
    },
  }
}

function ridgeReach(stage: Stage): { left: number; right: number } {
  const step = ridgeStep(stage)
  return { left: stage.left - step * 4, right: stage.right + step * 4 }
}

function* ridgeSteps(stage: Stage): Generator<number> {
  const { left, right } = ridgeReach(stage)
  for (let x = left; x <= right; x += ridgeStep(stage)) yield x
}

function ridgeStep(stage: Stage): number {
  return Math.max(2, stage.width * STEP_SHARE)
}
