/**
 * Where the camera goes after the last frame: on as it was moving, slower and slower, and out of sight with whatever came
 * in beyond the picture's edge. Pure; places are pixels from the middle of the frame.
 */
import type { Size } from '../warp/fit.ts'
import { sampleAt } from '../warp/raster.ts'
import type { Momentum } from './momentum.ts'

/** Frames in which the camera's motion dies away to a third, if there is room for that. */
const CAMERA_FRAMES = 12
/** The same of what moves by itself. */
const OWN_FRAMES = 9
/** How far the motion may carry, as a share of the frame: what comes in beyond the edge is mirrored, and soon out of sight. */
const FARTHEST = 0.13
/** The same of what moves by itself, where the picture is bent for it. */
const FARTHEST_OWN = 0.025
/** Frames over which the camera comes closer, until nothing mirrored is seen. */
const CLOSER_FRAMES = 54

/** Turns a place that is seen in a frame into the one in the last frame of the source that is seen there. */
export type Glance = (place: { x: number; y: number }) => void

/** What each frame after the source shows of its last one; frame 1 is the first after it. */
export function wayOn({ camera, own }: Momentum, { width, height }: Size): (index: number) => Glance {
  const speed = Math.max(
    Math.abs(camera.right) / width,
    Math.abs(camera.down) / height,
    Math.abs(camera.zoom) / 2,
    Math.abs(camera.turn) / 2,
  )
  const lasting = Math.max(1, Math.min(CAMERA_FRAMES, FARTHEST / Math.max(1e-9, speed)))
  const [farZoom, farTurn] = [camera.zoom * lasting, camera.turn * lasting]
  const beyond = 2 * Math.max(Math.abs(camera.right * lasting) / width, Math.abs(camera.down * lasting) / height)
  // A turn shows the corners: the long side swings over the short one's edge.
  const swing = Math.abs(Math.sin(farTurn)) * (Math.max(width, height) / Math.min(width, height))
  const closest = Math.max(1, (1 + swing) / Math.max(0.4, Math.exp(farZoom) - beyond))
  const ownReach = ownSpeed(own) * OWN_FRAMES
  const ownShare = Math.min(1, (FARTHEST_OWN * Math.min(width, height)) / Math.max(1e-9, ownReach))

  return (index) => {
    const carried = lasting * (1 - Math.exp(-index / lasting))
    const closer = 1 + (closest - 1) * smooth(Math.min(1, index / CLOSER_FRAMES))
    const zoom = Math.exp(camera.zoom * carried)
    const [cos, sin] = [Math.cos(camera.turn * carried) / zoom, Math.sin(camera.turn * carried) / zoom]
    const [right, down] = [camera.right * carried, camera.down * carried]
    const ownCarried = OWN_FRAMES * (1 - Math.exp(-index / OWN_FRAMES)) * ownShare
    return (place) => {
      const [x, y] = [place.x / closer - right, place.y / closer - down]
      place.x = x * cos + y * sin
      place.y = y * cos - x * sin
      if (own === undefined) return
      const column = (place.x / width + 0.5) * own.right.width - 0.5
      const row = (place.y / height + 0.5) * own.right.height - 0.5
      place.x -= sampleAt(own.right, column, row) * ownCarried
      place.y -= sampleAt(own.down, column, row) * ownCarried
    }
  }
}

function ownSpeed(own: Momentum['own']): number {
  if (own === undefined) return 0
  return own.right.values.reduce(
    (most, right, index) => Math.max(most, Math.hypot(right, own.down.values[index] ?? 0)),
    0,
  )
}

function smooth(share: number): number {
  return share * share * share * (share * (share * 6 - 15) + 10)
}
