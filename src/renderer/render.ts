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

/**
 * Renders a clip in this process. While frame n is encoded on FFmpeg's threads, frame n + 1 waits, ready, and frame n + 2
 * is drawn on this thread.
 */
export async function render({ request, outputPath, onProgress }: RenderOptions): Promise<void> {
  const board = storyboard(request)
  const picture = createPicture(request, board)
  const ambience = createAmbience(board, request.durationSeconds)
  const unfinished = unfinishedPath(outputPath)
  try {
    await using encoder = await openEncoder({ path: unfinished, width: picture.width, height: picture.height })
    const size = (picture.width * picture.height * 3) / 2
    const buffers = [new Uint8Array(size), new Uint8Array(size)] as const
    let [written, writtenBefore]: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()]
    for (let frame = 0; frame < picture.framesTotal; frame++) {
      // An encoder hands on its work only when this thread comes round: without these turns of the loop it would stand
      // still for as long as a frame is drawn, though the next one is ready.
      const drawn = picture.draw(frame)
      await setImmediate()
      const planes = drawn.convert(buffers[frame % 2 === 0 ? 0 : 1])
      await setImmediate()
      const sound = ambience.next(SAMPLES_PER_FRAME)
      await writtenBefore
      writtenBefore = written
      written = written.then(() => encoder.write(planes, sound))
      // Whoever waits for it meets the rejection; until then it must not end the process.
      written.catch(() => undefined)
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
