import { createCanvas } from '@napi-rs/canvas'
import { leaveLayer, type Moment, type Scene, type Sprite, type Stage } from './stage.ts'

/** What is laid over whole rows of a frame that exists as planes already: weather, a title, the caption. */
export interface Overlay {
  /** RGBA, multiplied with its alpha, as a canvas holds it; as wide as the frame. */
  readonly pixels: Uint8Array
  /** The first row, and the number of rows. Even. */
  readonly top: number
  readonly rows: number
  /** 0–1; what is seen of it. */
  readonly opacity: number
}

/** A sprite that is as wide as the frame, as an overlay. */
export function spriteOverlay({ width, height }: Stage, { canvas, x, y }: Sprite): Overlay {
  const top = Math.max(0, 2 * Math.floor(y / 2))
  // One more row than it has, for where it starts at an odd one.
  const rows = Math.min(height - top, 2 * Math.ceil((canvas.height + 1) / 2))
  const even = createCanvas(width, rows)
  even.getContext('2d').drawImage(canvas, x, y - top)
  // A copy (a slice of a buffer would be none): what the canvas answers is its own memory, which goes with it.
  return { pixels: new Uint8Array(even.data()), top, rows, opacity: 1 }
}

/** Paints a scene as an overlay of the whole frame. What it answers is good until it is asked again. */
export function createSceneOverlay(stage: Stage, scene: Scene): (moment: Moment, opacity: number) => Overlay {
  const { width, height } = stage
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  return (moment, opacity) => {
    leaveLayer(context)
    context.globalAlpha = 1
    context.globalCompositeOperation = 'source-over'
    context.clearRect(0, 0, width, height)
    scene.paint(context, moment)
    return { pixels: canvas.data(), top: 0, rows: height, opacity }
  }
}
