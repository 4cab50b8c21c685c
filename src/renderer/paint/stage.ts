import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas'
import { type CameraView, OVERSCAN } from '../storyboard/camera.ts'
import { hashText } from '../storyboard/hash-text.ts'
import { type Random, seededRandom } from '../storyboard/seeded-random.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'

export type Context = SKRSContext2D

/** Where a scene is built: the frame's size and all that the storyboard fixed. */
export interface Stage {
  readonly board: Storyboard
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** One percent of the frame's short side in pixels: sizes given in it look alike at every resolution. */
  readonly unit: number
  /** Bounds of what any camera move can show of a layer at depth 1, in pixels of the frame. */
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  /** The frame alone, for what is infinitely far and never moves. */
  readonly frame: { readonly left: 0; readonly top: 0; readonly right: number; readonly bottom: number }
  /** A repeatable sequence of its own for each part of a scene, so that changing one part moves no other. */
  random(part: string): Random
}

/** One moment of a clip. */
export interface Moment {
  /** Seconds of the scene's own time: the clip's, paced by the mode's energy. */
  readonly seconds: number
  /** 0 at the first frame, 1 at the last. */
  readonly progress: number
  readonly view: CameraView
}

/** A scene that was built: whatever does not move is already drawn, and each frame only composes. */
export interface Scene {
  /** Paints the whole frame, opaque, in frame pixels; leaves the context's state as it likes. */
  paint(context: Context, moment: Moment): void
}

/** Draws what does not move, once, and answers what paints the moments. */
export type SceneBuilder = (stage: Stage) => Scene

export function createStage(board: Storyboard, { width, height }: { width: number; height: number }): Stage {
  return {
    board,
    width,
    height,
    unit: Math.min(width, height) / 100,
    left: -width * OVERSCAN,
    right: width * (1 + OVERSCAN),
    top: -height * OVERSCAN,
    bottom: height * (1 + OVERSCAN),
    frame: { left: 0, top: 0, right: width, bottom: height },
    random: (part) => seededRandom((board.seed ^ hashText(part)) >>> 0),
  }
}

/**
 * Puts the context into the space of a layer: frame pixels as the storyboard framed them, moved and magnified the more,
 * the nearer the layer is. Depth 0 is infinitely far: it stays where it is, and its pictures are copied pixel for pixel, which
 * is several times quicker than any other way of placing a picture. 1 is the nearest layer that fills the frame.
 */
export function enterLayer(context: Context, stage: Stage, { view, depth }: { view: CameraView; depth: number }): void {
  const { width, height } = stage
  if (depth === 0) {
    leaveLayer(context)
    return
  }
  // Even the far layers grow a little in a zoom, else the near ones seem to tear away from them.
  const scale = 1 + (view.zoom - 1) * (0.25 + 0.75 * depth)
  context.setTransform(
    scale,
    0,
    0,
    scale,
    width / 2 - scale * width * (0.5 + view.x * depth),
    height / 2 - scale * height * (0.5 + view.y * depth),
  )
}

/** Back to frame pixels. */
export function leaveLayer(context: Context): void {
  context.setTransform(1, 0, 0, 1, 0, 0)
}

/** One plane of a scene. */
export interface Layer {
  /** 0 is the sky, 1 the nearest that fills the frame. */
  readonly depth: number
  /** Paints in the layer's space; the context's alpha and composite operation are reset afterwards. */
  paint(context: Context, moment: Moment): void
}

/** A scene made of layers, the farthest first. */
export function layered(stage: Stage, layers: readonly Layer[]): Scene {
  return {
    paint(context, moment) {
      for (const layer of layers) {
        enterLayer(context, stage, { view: moment.view, depth: layer.depth })
        layer.paint(context, moment)
        context.globalAlpha = 1
        context.globalCompositeOperation = 'source-over'
      }
    },
  }
}

/** A layer that never changes: drawn once, placed at each frame. */
export function still(depth: number, sprite: Sprite): Layer {
  return { depth, paint: (context) => placeSprite(context, sprite) }
}

/** A part of a layer that is drawn once: a canvas and where its corner stands in the layer. */
export interface Sprite {
  readonly canvas: Canvas
  readonly x: number
  readonly y: number
}

/** Draws once into a canvas that covers the given bounds (layer pixels) and answers it as a sprite. */
export function drawSprite(
  bounds: { left: number; top: number; right: number; bottom: number },
  draw: (context: Context) => void,
): Sprite {
  const [x, y] = [Math.floor(bounds.left), Math.floor(bounds.top)]
  const canvas = createCanvas(Math.max(1, Math.ceil(bounds.right) - x), Math.max(1, Math.ceil(bounds.bottom) - y))
  const context = canvas.getContext('2d')
  context.translate(-x, -y)
  draw(context)
  return { canvas, x, y }
}

/** Puts a sprite where it was drawn, in the layer that the context is in. */
export function placeSprite(context: Context, { canvas, x, y }: Sprite): void {
  context.drawImage(canvas, x, y)
}
