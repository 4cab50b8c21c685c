import { createCanvas } from '@napi-rs/canvas'
import { type Context, type Layer, leaveLayer, type Sprite } from './stage.ts'

/**
 * Steps of magnification, for each 1×. A picture that is copied pixel for pixel costs a quarter of one that is scaled (0.3
 * and 1.5 ms for a full frame at 480p), so what is soft is scaled only when its magnification came to another step. Half
 * a step moves the rim of a glow as large as the frame by one pixel.
 */
const STEPS = 128

/** Places a soft sprite in the layer that the context is in, `shift` layer pixels to the right of where it was drawn. */
export type PlaceSoftSprite = (context: Context, shift?: number) => void

/**
 * A sprite without edges or detail (glow, mist, haze) at a size of its own in layer pixels. It is placed on whole pixels
 * at a stepped magnification, which can be seen of anything sharp and of nothing soft. What is drawn depends on the
 * context's place alone, never on what was placed before. The context may be moved and scaled, not turned.
 */
export function softSprite(
  { canvas, x, y }: Sprite,
  size: { readonly width: number; readonly height: number } = canvas,
): PlaceSoftSprite {
  let scaled = canvas
  let scaledStep: number | undefined
  return (context, shift = 0) => {
    const { a: scale, e: left, f: top } = context.getTransform()
    const step = Math.round(scale * STEPS)
    const [width, height] = [(size.width * step) / STEPS, (size.height * step) / STEPS]
    if (step !== scaledStep) {
      scaled = createCanvas(Math.max(1, Math.round(width)), Math.max(1, Math.round(height)))
      scaled.getContext('2d').drawImage(canvas, 0, 0, scaled.width, scaled.height)
      scaledStep = step
    }
    // The middle stands where it belongs; what the step leaves over falls on the rims.
    const middleX = left + (x + shift + size.width / 2) * scale
    const middleY = top + (y + size.height / 2) * scale
    leaveLayer(context)
    context.drawImage(scaled, Math.round(middleX - scaled.width / 2), Math.round(middleY - scaled.height / 2))
    context.setTransform(scale, 0, 0, scale, left, top)
  }
}

/** A layer that never changes and has neither edges nor detail. */
export function stillAndSoft(depth: number, sprite: Sprite): Layer {
  const place = softSprite(sprite)
  return { depth, paint: (context) => place(context) }
}
