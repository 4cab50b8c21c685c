import type { GenerationRequest } from '../../canonical/generation.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { ReferenceRole } from '../../canonical/reference.ts'
import type { FrameSize } from '../upstream/frame-grid.ts'

/** What the engine's video models (Wan) are trained at, and its documentation's example. */
const FRAMES_PER_SECOND = 16

/** Where the pictures of a request go, as the server calls them. */
export const PICTURE_FIELDS: ReadonlyMap<ReferenceRole, string> = new Map([
  ['firstFrame', 'init_image'],
  ['lastFrame', 'end_image'],
])

export interface VideoInputs {
  /** In pixels, as the model takes it. */
  readonly frame: FrameSize
  /** Base64, by the server's field. */
  readonly pictures: Readonly<Record<string, string>>
}

/**
 * The body of `vid_gen`. The server makes 4n + 1 frames, the most that are not over what is asked for; a whole number of
 * seconds at 16 frames is 4n, so one more makes it exact: the clip is a sixteenth of a second over.
 */
export function videoBody(request: GenerationRequest, { frame, pictures }: VideoInputs): JsonObject {
  const { width, height } = frame
  return {
    prompt: request.prompt,
    width,
    height,
    video_frames: 4 * Math.round((request.durationSeconds * FRAMES_PER_SECOND) / 4) + 1,
    fps: FRAMES_PER_SECOND,
    seed: request.seed,
    output_format: 'webm',
    ...pictures,
  }
}
