import type { CameraMove } from './camera-words.ts'

/** Where the camera stands at one moment. */
export interface CameraView {
  /** Sideways and downwards, as shares of the frame's width and height, for a layer at depth 1. */
  readonly x: number
  readonly y: number
  /** Magnification of a layer at depth 1; 1 is the framing of the storyboard. */
  readonly zoom: number
}

/** How far the camera may stray, as a share of the frame: layers are painted this much larger on every side. */
export const OVERSCAN = 0.16

/** Length of a move: a share of the frame for pans, a magnification for zooms. Within OVERSCAN by construction. */
const PAN_REACH = 0.11
const ZOOM_REACH = 0.22

/** The view at `progress` (0–1) of the clip. Moves ease in and out, so that a clip can be cut or looped anywhere. */
export function cameraAt(move: CameraMove, progress: number, energy: number): CameraView {
  const eased = progress * progress * (3 - 2 * progress)
  const along = (progress * 0.6 + eased * 0.4) * 2 - 1
  const reach = Math.min(1.25, energy)
  const turn = Math.PI * 2 * (0.08 + 0.62 * progress)
  switch (move) {
    case 'zoomIn':
      return { x: 0, y: -0.004 * along, zoom: 1.02 + ZOOM_REACH * reach * (along + 1) }
    case 'zoomOut':
      return { x: 0, y: 0.004 * along, zoom: 1.02 + ZOOM_REACH * reach * (1 - along) }
    case 'panLeft':
      return { x: -PAN_REACH * reach * along, y: 0, zoom: 1.03 }
    case 'panRight':
      return { x: PAN_REACH * reach * along, y: 0, zoom: 1.03 }
    case 'rise':
      return { x: 0.012 * along, y: -PAN_REACH * 0.75 * reach * along, zoom: 1.04 }
    case 'orbit':
      return { x: PAN_REACH * reach * Math.sin(turn), y: 0.018 * Math.cos(turn), zoom: 1.07 - 0.05 * Math.cos(turn) }
    case 'static':
      return { x: 0, y: 0, zoom: 1 }
    case 'drift':
      return { x: 0.045 * reach * along, y: -0.008 * along, zoom: 1.03 + 0.05 * reach * (along + 1) }
  }
}
