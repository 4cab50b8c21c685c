import { rename, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { GenerationRequest } from '../canonical/generation.ts'
import type { Encoder } from './encode/encoder.ts'
import { openEncoder } from './encode/open-encoder.ts'
import type { Footage } from './footage/footage.ts'
import { openFootage } from './footage/open-footage.ts'
import { unfinishedPath } from './unfinished-path.ts'

export interface RenderOptions {
  readonly request: GenerationRequest
  /** Absolute paths of local files, one for each of the request's references, in their order. */
  readonly referencePaths?: readonly string[]
  /** Where the MP4 is to stand; what is there is replaced, in one step, when the clip is whole. */
  readonly outputPath: string
  onProgress?(framesDone: number, framesTotal: number): void
}

/**
 * Renders a clip in this process. While frame n is encoded on FFmpeg's threads, frame n + 1 waits, ready, and frame n + 2
 * is drawn on this thread. Footage that is decoded is decoded ahead on FFmpeg's threads too.
 */
export async function render({ request, referencePaths = [], outputPath, onProgress }: RenderOptions): Promise<void> {
  await using footage = await openFootage({ request, referencePaths })
  const unfinished = unfinishedPath(outputPath)
  try {
    await using encoder = await openEncoder({ path: unfinished, width: footage.width, height: footage.height })
    await encodeFrames(footage, encoder, onProgress)
    await encoder.finish()
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw cause
  }
  await rename(unfinished, outputPath)
}

async function encodeFrames(
  { width, height, framesTotal, draw, sound }: Footage,
  encoder: Encoder,
  onProgress: RenderOptions['onProgress'],
): Promise<void> {
  const size = (width * height * 3) / 2
  const buffers = [new Uint8Array(size), new Uint8Array(size)] as const
  let [written, writtenBefore]: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()]
  try {
    for (let frame = 0; frame < framesTotal; frame++) {
      // An encoder hands on its work only when this thread comes round: without these turns of the loop it would stand
      // still for as long as a frame is drawn, though the next one is ready.
      const drawn = await draw(frame)
      await setImmediate()
      const planes = drawn.convert(buffers[frame % 2 === 0 ? 0 : 1])
      await setImmediate()
      const samples = await sound()
      await writtenBefore
      writtenBefore = written
      written = written.then(() => encoder.write(planes, samples))
      // Whoever waits for it meets the rejection; until then it must not end the process.
      written.catch(() => undefined)
      onProgress?.(frame + 1, framesTotal)
    }
    await written
  } finally {
    // When a frame cannot be drawn, those before it may still be on their way through the encoder, and to close that
    // under its own threads would end the process.
    await Promise.allSettled([written])
  }
}
