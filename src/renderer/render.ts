import { rename, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { GenerationRequest } from '../canonical/generation.ts'
import { SAMPLES_PER_FRAME } from './encode/encoder.ts'
import { openEncoder } from './encode/open-encoder.ts'
import { createPicture } from './picture.ts'
import { createAmbience } from './sound/ambience.ts'
import { storyboard } from './storyboard/storyboard.ts'
import { unfinishedPath } from './unfinished-path.ts'

export interface RenderOptions {
  readonly request: GenerationRequest
  /** Where the MP4 is to stand; what is there is replaced, in one step, when the clip is whole. */
  readonly outputPath: string
  onProgress?(framesDone: number, framesTotal: number): void
}

/** Renders a clip in this process. While frame n is encoded on FFmpeg's threads, frame n + 1 is drawn on this one. */
export async function render({ request, outputPath, onProgress }: RenderOptions): Promise<void> {
  const board = storyboard(request)
  const picture = createPicture(request, board)
  const ambience = createAmbience(board, request.durationSeconds)
  const unfinished = unfinishedPath(outputPath)
  try {
    await using encoder = await openEncoder({ path: unfinished, width: picture.width, height: picture.height })
    let written: Promise<void> = Promise.resolve()
    for (let frame = 0; frame < picture.framesTotal; frame++) {
      const planes = picture.planes(frame)
      const sound = ambience.next(SAMPLES_PER_FRAME)
      await written
      written = encoder.write(planes, sound)
      // An encoder hands its work to other threads only when this one comes round; without this turn of the loop the next
      // frame would be drawn first, and nothing would overlap.
      await setImmediate()
      onProgress?.(frame + 1, picture.framesTotal)
    }
    await written
    await encoder.finish()
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw cause
  }
  await rename(unfinished, outputPath)
}
