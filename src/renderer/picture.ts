import { createCanvas } from '@napi-rs/canvas'
import { frameSize, type GenerationRequest, outputSeconds } from '../canonical/generation.ts'
import { FRAMES_PER_SECOND } from './encode/encoder.ts'
import { drawCaption } from './paint/caption.ts'
import { createI420Writer } from './paint/i420.ts'
import { createStage, leaveLayer, placeSprite } from './paint/stage.ts'
import { withWeather } from './paint/weather.ts'
import { SCENES } from './scenes/index.ts'
import { cameraAt } from './storyboard/camera.ts'
import type { Storyboard } from './storyboard/storyboard.ts'

/** Draws the frames of one clip. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly framesTotal: number
  /** The planes of a frame (I420, BT.709, tv range). The buffer is used again by the next call. */
  planes(frame: number): Uint8Array
  /** The first half of `planes`, for those who have something to do in between: draws a frame. */
  draw(frame: number): Drawn
}

/** A frame that was drawn, until the next one is. */
export interface Drawn {
  /** Its planes, as those of `Picture`; written over `planes` when a buffer of their size is given. */
  convert(planes?: Uint8Array): Uint8Array
}

/** Builds the scene of a storyboard. The same request and storyboard give the same planes, byte for byte. */
export function createPicture(request: GenerationRequest, board: Storyboard): Picture {
  const { width, height } = frameSize(request)
  const framesTotal = Math.round(outputSeconds(request) * FRAMES_PER_SECOND)
  const stage = createStage(board, { width, height })
  const scene = withWeather(stage, SCENES[board.scene](stage))
  const caption = drawCaption(stage)
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  const writer = createI420Writer({ width, height, seed: board.seed, grade: board.grade })
  const own = new Uint8Array((width * height * 3) / 2)
  const draw = (frame: number): Drawn => {
    const progress = frame / Math.max(1, framesTotal - 1)
    scene.paint(context, {
      seconds: (frame / FRAMES_PER_SECOND) * board.energy,
      progress,
      view: cameraAt(board.camera, progress, board.energy),
    })
    leaveLayer(context)
    context.globalAlpha = 1
    context.globalCompositeOperation = 'source-over'
    placeSprite(context, caption)
    // The canvas draws when it is asked for its pixels, not before.
    const pixels = canvas.data()
    return { convert: (planes = own) => writer.write(pixels, frame, planes) }
  }
  return { width, height, framesTotal, draw, planes: (frame) => draw(frame).convert() }
}
