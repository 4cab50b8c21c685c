import { frameSize, outputSeconds, referenceOf } from '../../canonical/generation.ts'
import type { Decoder } from '../decode/decoder.ts'
import { openDecoder } from '../decode/open-decoder.ts'
import { namedLook } from '../edit/look.ts'
import { createRetouch } from '../edit/retouch.ts'
import { FRAMES_PER_SECOND } from '../encode/encoder.ts'
import { closeGap } from '../extend/close-gap.ts'
import { type Continuation, createContinuation } from '../extend/continuation.ts'
import { createSoundOn } from '../extend/sound-on.ts'
import { createStage } from '../paint/stage.ts'
import { storyboard } from '../storyboard/storyboard.ts'
import type { Drawn, Footage, FootageOrder } from './footage.ts'
import { sourcePath } from './source-path.ts'

/** Frames of the source's end from which its motion is measured. */
const FRAMES_KEPT = 6
/** Seconds in which what the prompt changes comes up: at the seam nothing may be seen to begin. */
const CHANGE_SECONDS = 1.5

/** The whole source, then what goes on from its last frame: its motion first, then more and more what the prompt says. */
export async function openExtendFootage(order: FootageOrder): Promise<Footage> {
  const { request } = order
  const { width, height } = frameSize(request)
  const framesTotal = Math.round(outputSeconds(request) * FRAMES_PER_SECOND)
  const framesAdded = request.durationSeconds * FRAMES_PER_SECOND
  const seam = framesTotal - framesAdded
  const board = { ...storyboard(request), caption: 'animatic' }
  const retouch = createRetouch({
    ...{ stage: createStage(board, { width, height }), look: namedLook(request) },
    // A video that was made here bears its caption already, which goes on with the picture.
    caption: referenceOf(request, 'source')?.taskId === undefined ? 'drawn' : 'none',
  })
  const soundOn = createSoundOn(board, request.durationSeconds)
  const decoder = await openDecoder({ path: sourcePath(order), width, height })
  const kept: Uint8Array[] = []
  let continuation: Continuation | undefined
  let heard = 0
  /** The last two shares of the source's sound, once they are read. */
  let ending: Float32Array[] | undefined

  return {
    width,
    height,
    framesTotal,
    async draw(frame) {
      if (frame < seam) return drawSource(decoder, kept)
      const index = frame - seam + 1
      continuation ??= createContinuation({
        ...{ frames: kept, width, height, seed: board.seed, camera: board.camera, energy: board.energy },
        seconds: request.durationSeconds,
      })
      const going = continuation
      return {
        convert(planes) {
          going.write(index, index / framesAdded, planes)
          retouch.apply(planes, frame, changeAt(index))
          return planes
        },
      }
    },
    async sound() {
      heard += 1
      if (heard > seam) return soundOn.next()
      if (heard >= seam - 1 && ending === undefined) {
        ending = []
        for (let share = heard; share <= seam; share++) ending.push(await decoder.nextSound())
        closeGap(ending)
      }
      const share = ending?.shift() ?? (await decoder.nextSound())
      soundOn.hear(share)
      return share
    },
    [Symbol.asyncDispose]: () => decoder[Symbol.asyncDispose](),
  }
}

async function drawSource(decoder: Decoder, kept: Uint8Array[]): Promise<Drawn> {
  const source = await decoder.nextPicture()
  kept.push(source)
  if (kept.length > FRAMES_KEPT) kept.shift()
  return {
    convert(planes) {
      planes.set(source)
      return planes
    },
  }
}

/** How much of what the prompt changes is seen, 0 to 1. */
function changeAt(index: number): number {
  const share = Math.min(1, index / (CHANGE_SECONDS * FRAMES_PER_SECOND))
  return share * share * (3 - 2 * share)
}
