import { grainTile } from '../paint/i420.ts'
import type { CameraMove } from '../storyboard/camera-words.ts'
import type { Size } from '../warp/fit.ts'
import { CELL, createMesh, type Mesh, type MeshPicture, POINT, seek } from '../warp/mesh.ts'
import { estimateNearness } from '../warp/nearness.ts'
import { centreOfInterest, sketch } from '../warp/sketch.ts'
import { type StillView, stillViewAt } from '../warp/still-camera.ts'
import { LUMA_PAD, textureOf } from '../warp/texture.ts'
import { writeWarped } from '../warp/warp.ts'
import { type Margins, mirroredPlanes } from './mirrored-planes.ts'
import { type Momentum, measureMomentum } from './momentum.ts'
import { noiseLevel } from './noise-level.ts'
import { smallPixels } from './small-pixels.ts'
import { createStrongNoise } from './strong-noise.ts'
import { type Glance, wayOn } from './way-on.ts'

/** Mirrored beyond each edge, as a share of the frame: more than the farthest that motion and zoom can carry it. */
const MARGIN = 0.2
/** Above this, in sixteenths of a step, the warp's tile of grain cannot hold it, and stronger noise is added after it. */
const MOST_GRAIN_SIXTEENTHS = 32
/** In sixteenths: what rounds to the nearest, where nothing is to flicker. */
const HALF_A_STEP = 8
/** Below this standard deviation a source has no noise: it was drawn, and stands still to the bit. */
const NO_NOISE = 0.05
/** Of a camera move, what fits into the extension: it is still under way at the end, for it would end in a freeze. */
const MOVE_SHARE = 0.8
/** How far a move backwards goes: beyond the edges is only what is mirrored. */
const BACK_REACH = 0.09

export interface ContinuationOptions extends Size {
  /** The last frames of the source (I420 planes), in order; at least one. */
  readonly frames: readonly Uint8Array[]
  readonly camera: CameraMove
  readonly energy: number
  readonly seconds: number
  readonly seed: number
}

/** A source that goes on after its last frame. */
export interface Continuation {
  /** Writes the planes of a frame after the source; 1 is the first. `progress` is 0 at the seam, 1 at the end. */
  write(index: number, progress: number, planes: Uint8Array): void
}

/** Measures how a source ends, and builds what it goes on with. Holds some 24 bytes for each pixel of the frame. */
export function createContinuation(options: ContinuationOptions): Continuation {
  const { frames, width, height } = options
  const last = frames.at(-1)
  if (last === undefined) throw new RangeError('there is no frame to go on from')
  const momentum = measureMomentum(frames, options)
  const glanceAt = wayOn(momentum, options)
  const small = sketch(smallPixels(last, options))
  const picture: MeshPicture = {
    width,
    height,
    frame: { left: 0, top: 0, width, height },
    nearness: estimateNearness(small, centreOfInterest(small)),
  }
  const level = noiseOf(options, momentum)
  const weak = level * 16 > MOST_GRAIN_SIXTEENTHS ? 0 : level * 16
  const margins = { across: even(width * MARGIN), down: even(height * MARGIN) }
  const source = {
    texture: textureOf(mirroredPlanes(last, options, margins)),
    mesh: createMesh(options),
    grain: level < NO_NOISE ? grainTile(options.seed, 0).fill(HALF_A_STEP) : grainTile(options.seed, weak),
  }
  const strong = level * 16 > MOST_GRAIN_SIXTEENTHS ? createStrongNoise(options, level) : undefined
  return {
    write(index, progress, planes) {
      aim(source.mesh, { picture, margins, glance: glanceAt(index), view: viewAt(options, progress * MOVE_SHARE) })
      writeWarped(source, options, index, planes)
      strong?.(planes, index)
    },
  }
}

/** The prompt's camera move; each begins from where the source ended. */
function viewAt({ camera, energy, seconds }: ContinuationOptions, progress: number): StillView {
  const slack = { left: 0, right: 0, top: 0, bottom: 0 }
  if (camera !== 'zoomOut') return stillViewAt({ camera, energy, seconds, slack }, progress)
  const closer = stillViewAt({ camera: 'zoomIn', energy, seconds, slack }, progress)
  return { ...closer, zoom: 1 - BACK_REACH * Math.min(1, (closer.zoom - 1) / 0.24) }
}

/** The noise that a source ends with; none for one that ends with its only frame. */
function noiseOf(options: ContinuationOptions, { camera }: Momentum): number {
  const [before, after] = options.frames.slice(-2)
  return before === undefined || after === undefined ? 0 : noiseLevel(before, after, { ...options, camera })
}

interface Aim {
  readonly picture: MeshPicture
  readonly margins: Margins
  readonly glance: Glance
  readonly view: StillView
}

/** Points a mesh at what is seen after the motion that goes on, then through the prompt's camera. */
function aim(mesh: Mesh, { picture, margins, glance, view }: Aim): void {
  const [middleX, middleY] = [(picture.width - 1) / 2, (picture.height - 1) / 2]
  const scale = 2 ** (POINT + 1)
  const pad = LUMA_PAD * 2 ** POINT
  const place = { x: 0, y: 0 }
  for (let row = 0; row < mesh.rows; row++) {
    for (let column = 0; column < mesh.columns; column++) {
      place.x = column * CELL - middleX
      place.y = row * CELL - middleY
      glance(place)
      place.x += middleX
      place.y += middleY
      seek(picture, view, place)
      const index = row * mesh.columns + column
      mesh.x[index] = Math.round(within(place.x, picture.width, margins.across) * scale) + pad
      mesh.y[index] = Math.round(within(place.y, picture.height, margins.down) * scale) + pad
    }
  }
}

/** A coordinate in the mirrored picture, kept inside it. */
function within(coordinate: number, length: number, margin: number): number {
  return Math.min(length + 2 * margin - 1, Math.max(0, coordinate + margin))
}

function even(pixels: number): number {
  return 2 * Math.round(pixels / 2)
}
