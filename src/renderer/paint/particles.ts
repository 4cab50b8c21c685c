/**
 * Small things that move by themselves. Each is a function of time alone, never of the frame before, so that any frame
 * can be drawn without its predecessors.
 */
import { createCanvas } from '@napi-rs/canvas'
import type { Colour } from './colour.ts'
import { css } from './colour.ts'
import { around } from './gradient.ts'
import type { Context, Layer, Moment, Stage } from './stage.ts'

/** A soft round dot, drawn once and scaled for each particle. Side in pixels. */
const DOT_SIDE = 32

function softDot(colour: Colour, core: number) {
  const canvas = createCanvas(DOT_SIDE, DOT_SIDE)
  const context = canvas.getContext('2d')
  const middle = DOT_SIDE / 2
  context.fillStyle = around({ x: middle, y: middle, radius: middle }, [
    [0, colour, 1],
    [core, colour, 0.85],
    [core + (1 - core) * 0.4, colour, 0.22],
    [1, colour, 0],
  ])
  context.fillRect(0, 0, DOT_SIDE, DOT_SIDE)
  return canvas
}

interface Floating {
  readonly depth: number
  readonly colour: Colour
  readonly count: number
  /** In stage units: diameter of the smallest and the largest. */
  readonly size: readonly [number, number]
  /** Stage units each second: to the right, and down. */
  readonly drift: readonly [number, number]
  /** Stage units of swaying to either side. */
  readonly sway: number
  /** Whether each pulses in its own time, as fireflies do, or keeps its opacity. */
  readonly light: 'steady' | 'pulsing'
  readonly opacity: number
  /** Shares of the frame's height between which they are seen; the whole frame unless said. */
  readonly band?: readonly [number, number]
}

/** Dust in a beam, pollen, fireflies, embers, snow: dots that drift, sway, and come in again at the other side. */
export function floating(stage: Stage, part: string, options: Floating): Layer {
  const random = stage.random(part)
  const dot = softDot(options.colour, options.light === 'steady' ? 0.45 : 0.2)
  const [upper, lower] = options.band ?? [-0.1, 1.1]
  const [spanX, spanY] = [stage.right - stage.left, stage.height * (lower - upper)]
  const motes = Array.from({ length: options.count }, () => ({
    x: random(),
    y: random(),
    size: stage.unit * (options.size[0] + (options.size[1] - options.size[0]) * random() ** 2),
    phase: random() * Math.PI * 2,
    pace: 0.6 + 0.8 * random(),
  }))
  return {
    depth: options.depth,
    paint(context, { seconds }) {
      context.globalCompositeOperation = options.light === 'pulsing' ? 'lighter' : 'source-over'
      for (const mote of motes) {
        const swing = Math.sin(mote.phase + seconds * mote.pace * 1.3)
        const x = wrap(
          mote.x * spanX + seconds * mote.pace * options.drift[0] * stage.unit + swing * options.sway * stage.unit,
          spanX,
        )
        const y = wrap(mote.y * spanY + seconds * mote.pace * options.drift[1] * stage.unit, spanY)
        const pulse = options.light === 'pulsing' ? 0.5 + 0.5 * Math.sin(mote.phase * 3 + seconds * mote.pace * 1.9) : 1
        // Fades in and out at the ends of its way, so that coming in again is not seen.
        const edge = Math.min(1, (Math.min(y, spanY - y) / spanY) * 9)
        context.globalAlpha = Math.max(0, options.opacity * pulse * edge)
        context.drawImage(
          dot,
          stage.left + x - mote.size / 2,
          stage.height * upper + y - mote.size / 2,
          mote.size,
          mote.size,
        )
      }
    },
  }
}

/** Rain: slanted strokes of one length and depth; three layers of it make a room of rain. */
export function rainfall(stage: Stage, part: string, { depth, count }: { depth: number; count: number }): Layer {
  const random = stage.random(part)
  const [spanX, spanY] = [stage.right - stage.left, stage.height * 1.3]
  const drops = Array.from({ length: count }, () => ({ x: random(), y: random(), pace: 0.85 + 0.3 * random() }))
  const length = stage.unit * (2 + 7 * depth)
  const speed = stage.unit * (110 + 190 * depth)
  return {
    depth,
    paint(context, { seconds }) {
      context.strokeStyle = `rgba(214,226,245,${(0.1 + 0.2 * depth).toFixed(3)})`
      context.lineWidth = stage.unit * (0.1 + 0.2 * depth)
      context.beginPath()
      for (const drop of drops) {
        const fall = seconds * speed * drop.pace
        const y = wrap(drop.y * spanY + fall, spanY) - stage.height * 0.15
        const x = stage.left + wrap(drop.x * spanX - fall * 0.12, spanX)
        context.moveTo(x, y)
        context.lineTo(x - length * 0.12, y + length)
      }
      context.stroke()
    },
  }
}

/** Snow of one depth: near flakes are large, soft and quick. */
export function snowfall(stage: Stage, part: string, { depth, count }: { depth: number; count: number }): Layer {
  return floating(stage, part, {
    depth,
    colour: [255, 255, 255],
    count,
    size: [0.4 + depth * 0.6, 0.8 + depth * 2.4],
    drift: [-2 - 4 * depth, 6 + 16 * depth],
    sway: 1 + 2 * depth,
    light: 'steady',
    opacity: 0.9 - 0.3 * depth,
  })
}

/** A few birds that cross the sky, wings beating, each a stroke of two arcs. */
export function birds(
  stage: Stage,
  { depth, height, colour }: { depth: number; height: number; colour: Colour },
): Layer {
  const random = stage.random('birds')
  const span = stage.right - stage.left
  const direction = random() < 0.5 ? -1 : 1
  const start = random()
  const flock = Array.from({ length: 5 + Math.floor(random() * 5) }, () => ({
    x: start + random() * 0.2,
    y: height * (0.8 + 0.3 * random()),
    size: stage.unit * (0.9 + 0.9 * random()),
    phase: random() * 7,
  }))
  return {
    depth,
    paint(context, { seconds }: Moment) {
      context.strokeStyle = css(colour, 0.75)
      context.lineCap = 'round'
      for (const bird of flock) {
        const x = stage.left + wrap(bird.x * span + direction * seconds * stage.unit * 5, span)
        const y = bird.y + Math.sin(seconds * 0.9 + bird.phase) * stage.unit
        drawBird(context, { x, y, size: bird.size, beat: Math.sin(seconds * 7 + bird.phase) })
      }
    },
  }
}

function drawBird(context: Context, { x, y, size, beat }: { x: number; y: number; size: number; beat: number }): void {
  const tip = y - size * (0.35 + 0.5 * beat)
  context.lineWidth = size * 0.16
  context.beginPath()
  context.moveTo(x - size, tip)
  context.quadraticCurveTo(x - size * 0.4, y - size * 0.35 * (1 + beat * 0.3), x, y)
  context.quadraticCurveTo(x + size * 0.4, y - size * 0.35 * (1 + beat * 0.3), x + size, tip)
  context.stroke()
}

/** The remainder that is never negative. */
export function wrap(value: number, span: number): number {
  return value - Math.floor(value / span) * span
}
