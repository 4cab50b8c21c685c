import type { Grade } from '../storyboard/storyboard.ts'
import type { Size } from './fit.ts'
import { aimMesh, createMesh, type MeshPicture } from './mesh.ts'
import { estimateNearness } from './nearness.ts'
import { readPicture } from './read-picture.ts'
import { shrink, sketch, sketchSize } from './sketch.ts'
import type { Slack, StillView } from './still-camera.ts'
import { createTexture } from './texture.ts'
import { writeWarped } from './warp.ts'

/** A picture that a camera can move through. */
export interface MovingPicture {
  /** What it has beyond the frame. */
  readonly slack: Slack
  /** Writes the planes of a frame of the clip, as the camera sees it from a view. */
  write(view: StillView, frame: number, planes: Uint8Array): void
}

export interface MovingPictureOptions {
  readonly size: Size
  readonly grade: Grade
  /** See `grainTile`. */
  readonly grain: Int8Array
}

/** Reads a picture and estimates its depth. Holds some 16 bytes for each pixel of the frame. */
export async function openMovingPicture(
  path: string,
  { size, grade, grain }: MovingPictureOptions,
): Promise<MovingPicture> {
  const fitted = await readPicture(path, size)
  const { width, height, frame, interest } = fitted
  const nearness = estimateNearness(sketch(shrink(fitted, sketchSize(fitted))), interest)
  const aimed: MeshPicture = { width, height, frame, nearness }
  const source = { texture: createTexture(fitted, grade), mesh: createMesh(size), grain }
  return {
    slack: {
      left: frame.left / size.width,
      right: (width - size.width - frame.left) / size.width,
      top: frame.top / size.height,
      bottom: (height - size.height - frame.top) / size.height,
    },
    write(view, index, planes) {
      aimMesh(source.mesh, aimed, view)
      writeWarped(source, size, index, planes)
    },
  }
}
