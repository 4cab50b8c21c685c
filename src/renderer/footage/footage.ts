/**
 * The contract between what makes the frames and sound of a clip and what encodes them. There is a footage for each way
 * to make a clip: a drawn scene, pictures that a camera moves through, a video that is changed, a video that goes on.
 */

import type { GenerationRequest } from '../../canonical/generation.ts'

/** What a footage is made from. */
export interface FootageOrder {
  readonly request: GenerationRequest
  /** Absolute paths of local files, one for each of the request's references, in their order. */
  readonly referencePaths: readonly string[]
}

/** A frame that was begun, until the next one is. */
export interface Drawn {
  /** Writes its planes (I420, BT.709, tv range, tightly packed: Y, then U, then V) into `planes`, and answers them. */
  convert(planes: Uint8Array): Uint8Array
}

export interface Footage extends AsyncDisposable {
  /** Even numbers of pixels. */
  readonly width: number
  readonly height: number
  readonly framesTotal: number
  /**
   * Draws a frame. Called once for each, in order, from 0; the one before has been converted by then. Footage that is
   * decoded answers a promise and decodes ahead on other threads meanwhile.
   */
  draw(frame: number): Drawn | Promise<Drawn>
  /**
   * The next frame's share of the sound: SAMPLES_PER_FRAME interleaved stereo samples, −1 to 1. Called once for each
   * frame, in order. They must stay as they are until the call after the next.
   */
  sound(): Float32Array | Promise<Float32Array>
}
