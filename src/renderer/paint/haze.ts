import { createCanvas } from '@napi-rs/canvas'
import type { Colour } from './colour.ts'
import { downwards } from './gradient.ts'
import { fractalNoise } from './noise.ts'
import { wrap } from './particles.ts'
import { softSprite, stillAndSoft } from './soft-sprite.ts'
import { drawSprite, type Layer, type Stage } from './stage.ts'

/** Air that lies between two layers: clear above, thickest at the lower height. */
export function haze(
  stage: Stage,
  { depth, from, to, colour, opacity }: { depth: number; from: number; to: number; colour: Colour; opacity: number },
): Layer {
  const fill = downwards(
    [from, to],
    [
      [0, colour, 0],
      [0.6, colour, opacity * 0.55],
      [1, colour, opacity],
    ],
  )
  const bounds = { left: stage.left, right: stage.right, top: from, bottom: stage.bottom }
  return stillAndSoft(
    depth,
    drawSprite(bounds, (context) => {
      context.fillStyle = fill
      context.fillRect(stage.left, from, stage.right - stage.left, stage.bottom - from)
    }),
  )
}

/** The mist strip is drawn small and stretched: it has no detail to lose. Pixels. */
const MIST_WIDTH = 256
const MIST_HEIGHT = 48

/** A bank of mist that drifts by, thick in places and thin in others. */
export function mist(
  stage: Stage,
  options: { part: string; depth: number; y: number; height: number; colour: Colour; opacity: number; speed: number },
): Layer {
  const density = fractalNoise(stage.random(options.part), { octaves: 4, gain: 0.5 })
  const canvas = createCanvas(MIST_WIDTH, MIST_HEIGHT)
  const small = canvas.getContext('2d')
  const image = small.createImageData(MIST_WIDTH, MIST_HEIGHT)
  for (let x = 0; x < MIST_WIDTH; x++) {
    // Blended with itself one width on, so that the strip meets its own beginning.
    const share = x / MIST_WIDTH
    const here = density(x / 22) * (1 - share) + density((x - MIST_WIDTH) / 22) * share
    for (let y = 0; y < MIST_HEIGHT; y++) {
      const down = (y + 0.5) / MIST_HEIGHT - 0.5 - here * 0.16
      const body = Math.max(0, 1 - (down / (0.26 + 0.14 * here)) ** 2)
      const at = (y * MIST_WIDTH + x) * 4
      image.data.set(
        [...options.colour.map(Math.round), Math.round(255 * options.opacity * body * (0.65 + 0.35 * here))],
        at,
      )
    }
  }
  small.putImageData(image, 0, 0)
  const span = stage.right - stage.left
  const strip = { canvas, x: stage.left, y: options.y - options.height / 2 }
  const place = softSprite(strip, { width: span, height: options.height })
  return {
    depth: options.depth,
    paint(context, { seconds }) {
      const shift = wrap(seconds * options.speed * stage.unit, span)
      place(context, shift - span)
      place(context, shift)
    },
  }
}
