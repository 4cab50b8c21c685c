import { type CanvasGradient, createCanvas } from '@napi-rs/canvas'
import { type Colour, css } from './colour.ts'
import type { Context } from './stage.ts'

/** A colour at a place of a gradient: 0–1, with an opacity of 0–1 (1 unless said). */
export type Stop = readonly [offset: number, colour: Colour, opacity?: number]

/** Makes gradients; a gradient may fill in any context, in the coordinates of whoever fills. */
const maker = createCanvas(1, 1).getContext('2d')

/** A gradient that runs down from one height to another. */
export function downwards([from, to]: readonly [number, number], stops: readonly Stop[]): CanvasGradient {
  return withStops(maker.createLinearGradient(0, from, 0, to), stops)
}

/** A gradient that runs across from one place to another. */
export function across([from, to]: readonly [number, number], stops: readonly Stop[]): CanvasGradient {
  return withStops(maker.createLinearGradient(from, 0, to, 0), stops)
}

/** A gradient around a point. */
export function around(
  { x, y, radius }: { x: number; y: number; radius: number },
  stops: readonly Stop[],
): CanvasGradient {
  return withStops(maker.createRadialGradient(x, y, 0, x, y, radius), stops)
}

function withStops(gradient: CanvasGradient, stops: readonly Stop[]): CanvasGradient {
  for (const [offset, colour, opacity] of stops) gradient.addColorStop(offset, css(colour, opacity))
  return gradient
}

/** The fall-off of light around a source: steep near it, long and faint far out, as in the eye or a lens. */
export function glowStops(colour: Colour, strength = 1): readonly Stop[] {
  return [
    [0, colour, strength],
    [0.08, colour, strength * 0.62],
    [0.2, colour, strength * 0.33],
    [0.4, colour, strength * 0.13],
    [0.7, colour, strength * 0.035],
    [1, colour, 0],
  ]
}

/** Paints a round glow, adding its light to what is there. */
export function paintGlow(
  context: Context,
  { x, y, radius, colour, strength }: { x: number; y: number; radius: number; colour: Colour; strength: number },
): void {
  context.globalCompositeOperation = 'screen'
  context.fillStyle = around({ x, y, radius }, glowStops(colour, strength))
  context.fillRect(x - radius, y - radius, radius * 2, radius * 2)
  context.globalCompositeOperation = 'source-over'
}
