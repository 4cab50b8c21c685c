import { type Colour, css } from './colour.ts'
import { type Context, drawSprite, type Layer, placeSprite, type Stage } from './stage.ts'

/** Shafts of light that fan out from a point (frame pixels), breathing slowly. */
export function lightRays(
  stage: Stage,
  options: { x: number; y: number; colour: Colour; opacity: number; angles: readonly [number, number] },
): Layer {
  const random = stage.random('light rays')
  const reach = Math.hypot(stage.width, stage.height) * 1.3
  // Two sets that breathe against each other: the light seems to move through leaves.
  const sets = [0, 1].map(() =>
    drawSprite(stage.frame, (context) => {
      context.filter = `blur(${(stage.unit * 1.3).toFixed(1)}px)`
      for (let ray = 0; ray < 7; ray++) {
        const angle = options.angles[0] + (options.angles[1] - options.angles[0]) * random()
        drawRay(context, { ...options, angle, spread: 0.012 + 0.035 * random(), reach: reach * (0.6 + 0.4 * random()) })
      }
    }),
  )
  return {
    depth: 0,
    paint(context, { seconds }) {
      context.globalCompositeOperation = 'screen'
      for (const [index, sprite] of sets.entries()) {
        context.globalAlpha = options.opacity * (0.62 + 0.38 * Math.sin(seconds * 0.7 + index * 2.6))
        placeSprite(context, sprite)
      }
    },
  }
}

function drawRay(
  context: Context,
  ray: { x: number; y: number; colour: Colour; angle: number; spread: number; reach: number },
): void {
  const gradient = context.createRadialGradient(ray.x, ray.y, 0, ray.x, ray.y, ray.reach)
  gradient.addColorStop(0, css(ray.colour, 0.5))
  gradient.addColorStop(0.35, css(ray.colour, 0.22))
  gradient.addColorStop(1, css(ray.colour, 0))
  context.fillStyle = gradient
  context.beginPath()
  context.moveTo(ray.x, ray.y)
  for (const angle of [ray.angle - ray.spread, ray.angle + ray.spread]) {
    context.lineTo(ray.x + Math.cos(angle) * ray.reach, ray.y + Math.sin(angle) * ray.reach)
  }
  context.fill()
}
