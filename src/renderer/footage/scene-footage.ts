import { outputSeconds } from '../../canonical/generation.ts'
import { SAMPLES_PER_FRAME } from '../encode/encoder.ts'
import { createPicture } from '../picture.ts'
import { createAmbience } from '../sound/ambience.ts'
import { storyboard } from '../storyboard/storyboard.ts'
import type { Footage, FootageOrder } from './footage.ts'

/** A scene drawn from the words of the prompt, and the sound of such a place. */
export function openSceneFootage({ request }: FootageOrder): Footage {
  const board = storyboard(request)
  const { width, height, framesTotal, draw } = createPicture(request, board)
  const ambience = createAmbience(board, outputSeconds(request))
  return {
    width,
    height,
    framesTotal,
    draw,
    sound: () => ambience.next(SAMPLES_PER_FRAME),
    async [Symbol.asyncDispose]() {},
  }
}
