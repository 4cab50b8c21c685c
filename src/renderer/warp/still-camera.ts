import type { CameraMove } from '../storyboard/camera-words.ts'

/** Where the camera stands before a picture. All zero, and a zoom of 1, shows the picture as it was fitted. */
export interface StillView {
  /** How far the camera has gone to the right and down, as shares of the frame, before the nearest things. */
  readonly x: number
  readonly y: number
  /** How far it has gone around what is half-way near: nearer things move against it, farther ones with it. */
  readonly turn: number
  /** Magnification of the nearest things. */
  readonly zoom: number
}

/** Parts of the frame's length that a picture reaches on beyond each side of the frame. */
export interface Slack {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The share of a move that reaches the farthest things; a zoom and a pan must have the same, see `roomFor`. */
export const FAR_SHARE = 0.55
/** The nearness that stands still in a turn. */
export const PIVOT = 0.5

const PAN_REACH = 0.07
const RISE_REACH = 0.065
const ZOOM_REACH = 0.24
const TURN_REACH = 0.04
/** Of what the picture reaches on beyond the frame, how much a pan takes in. */
const SLACK_USED = 0.9
/** Shares of a move in which it gathers speed and loses it. */
const EASE = 0.3
/** A move shorter than this many seconds goes less far, for it would be hasty. */
const FULL_REACH_SECONDS = 6

export interface StillMove {
  readonly camera: CameraMove
  /** How lively the camera is; 1 is normal. */
  readonly energy: number
  readonly seconds: number
  readonly slack: Slack
}

/**
 * The view at `progress` (0–1) of a move. It starts from the fitted picture and eases away from it; only a move backwards
 * starts nearer and ends there, for beyond its edges a picture has nothing to show. No view ever shows an edge.
 */
export function stillViewAt({ camera, energy, seconds, slack }: StillMove, progress: number): StillView {
  const reach = Math.min(1.25, energy) * Math.min(1, Math.sqrt(seconds / FULL_REACH_SECONDS))
  const along = ease(progress)
  switch (camera) {
    case 'zoomIn':
      return { x: 0, y: 0, turn: 0, zoom: 1 + ZOOM_REACH * reach * along }
    case 'zoomOut':
      return { x: 0, y: 0, turn: 0, zoom: 1 + ZOOM_REACH * reach * (1 - along) }
    case 'panLeft':
      return { ...STILL, ...pan('x', -along, { reach: PAN_REACH * reach, slack: slack.left }) }
    case 'panRight':
      return { ...STILL, ...pan('x', along, { reach: PAN_REACH * reach, slack: slack.right }) }
    case 'rise':
      return { ...STILL, ...pan('y', -along, { reach: RISE_REACH * reach, slack: slack.top }) }
    case 'orbit':
      return orbit(TURN_REACH * reach, along)
    case 'static':
      return STILL
    case 'drift': {
      const turn = 0.5 * TURN_REACH * reach * along
      return { x: 0, y: 0, turn, zoom: 1 + roomForTurn(turn) + 0.3 * ZOOM_REACH * reach * along }
    }
  }
}

/** The view of a move that ends at the fitted picture, in the direction in which one from it would go on. */
export function arrivingViewAt(move: StillMove, progress: number): StillView {
  const { left, right, top, bottom } = move.slack
  const slack = { left: right, right: left, top: bottom, bottom: top }
  // Run backwards, a move closer falls back on the whole picture: all that a move back could end with, too.
  const camera = move.camera === 'zoomOut' ? 'zoomIn' : move.camera
  const view = stillViewAt({ ...move, camera, slack }, 1 - progress)
  return { x: -view.x, y: -view.y, turn: -view.turn, zoom: view.zoom }
}

const STILL: StillView = { x: 0, y: 0, turn: 0, zoom: 1 }

function pan(axis: 'x' | 'y', along: number, { reach, slack }: { reach: number; slack: number }): Partial<StillView> {
  const beyond = slack * SLACK_USED * Math.min(1, reach / PAN_REACH)
  const whole = reach + beyond
  return { [axis]: whole * along, zoom: 1 + roomForPan(reach * Math.abs(along)) }
}

/** Swings out to one side, back through the middle and on to the other, over a slight bow. */
function orbit(reach: number, along: number): StillView {
  const angle = Math.PI * 2 * 0.62 * along
  // Room for the widest swing, taken with the first half of it and kept: the zoom must not breathe with the swing.
  const room = roomForTurn(reach * Math.sin(Math.min(Math.PI / 2, angle)))
  return { x: 0, y: 0, turn: reach * Math.sin(angle), zoom: 1 + room + 0.1 * ZOOM_REACH * along }
}

/**
 * What the camera must go closer by, so that a pan shows nothing beyond the edge. A point at the edge is moved outwards by
 * the zoom by half of it, and by the pan, both times the point's share: with equal shares, twice the pan is enough at
 * every nearness.
 */
function roomForPan(distance: number): number {
  return 2 * distance
}

/** The same for a turn, which moves the farthest by PIVOT while the zoom moves them by FAR_SHARE of itself. */
function roomForTurn(turn: number): number {
  return 2 * Math.abs(turn) * Math.max(PIVOT / FAR_SHARE, 1 - PIVOT)
}

/** Progress with a soft start and stop, and even speed in between. */
function ease(progress: number): number {
  const top = 1 / (1 - EASE)
  if (progress < EASE) return (top * progress * progress) / (2 * EASE)
  if (progress > 1 - EASE) return 1 - (top * (1 - progress) ** 2) / (2 * EASE)
  return top * (progress - EASE / 2)
}
