import { type Colour, css, mix, shade } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { fractalNoise, type Noise } from '../paint/noise.ts'
import { floating } from '../paint/particles.ts'
import {
  drawSprite,
  type Layer,
  layered,
  placeSprite,
  type SceneBuilder,
  type Sprite,
  type Stage,
  still,
} from '../paint/stage.ts'

const RIBBONS = 5
const THREADS = 10

/** Ribbons of light that flow across soft orbs: for prompts about feelings, and for words that we do not know. */
export const abstract: SceneBuilder = (stage) => {
  const { palette } = stage.board
  const tones = [
    palette.accent,
    palette.glow,
    mix(palette.accent, palette.skyMiddle, 0.6),
    mix(palette.glow, [255, 255, 255], 0.3),
    palette.skyLow,
  ]
  const ribbons = Array.from({ length: RIBBONS }, (_, index) =>
    ribbon(stage, { nearness: index / (RIBBONS - 1), colour: tones[index % tones.length] ?? palette.accent }),
  )
  return layered(stage, [
    still(0, drawGround(stage)),
    orbs(stage, { depth: 0.2, count: 3, size: 36, opacity: 0.5 }),
    ...ribbons,
    orbs(stage, { depth: 0.9, count: 5, size: 13, opacity: 0.34 }),
    floating(stage, 'sparks', {
      depth: 0.8,
      colour: mix(palette.glow, [255, 255, 255], 0.5),
      count: 60,
      size: [0.3, 1.2],
      drift: [2.4, -1.2],
      sway: 3,
      light: 'pulsing',
      opacity: 0.75,
    }),
  ])
}

function drawGround(stage: Stage): Sprite {
  const { palette } = stage.board
  const random = stage.random('ground')
  return drawSprite(stage.frame, (context) => {
    context.fillStyle = downwards(
      [stage.top, stage.bottom],
      [
        [0, shade(mix(palette.skyTop, palette.near, 0.35), 0.9)],
        [0.55, mix(palette.skyTop, palette.skyMiddle, 0.6)],
        [1, shade(mix(palette.skyMiddle, palette.near, 0.55), 0.8)],
      ],
    )
    context.fillRect(stage.left, stage.top, stage.right - stage.left, stage.bottom - stage.top)
    for (let glow = 0; glow < 3; glow++) {
      paintGlow(context, {
        x: stage.width * random(),
        y: stage.height * random(),
        radius: stage.unit * (70 + 40 * random()),
        colour: [palette.accent, palette.glow, palette.skyLow][glow] ?? palette.glow,
        strength: 0.42,
      })
    }
  })
}

/** One ribbon: threads between two wandering edges, so that it twists as it flows. */
function ribbon(stage: Stage, { nearness, colour }: { nearness: number; colour: Colour }): Layer {
  const random = stage.random(`ribbon ${nearness}`)
  const centre = stage.height * (0.2 + 0.6 * random())
  const [upper, lower]: readonly [Noise, Noise] = [
    fractalNoise(random, { octaves: 2, gain: 0.35 }),
    fractalNoise(random, { octaves: 2, gain: 0.35 }),
  ]
  const slope = (random() - 0.5) * 0.5
  const reach = stage.height * (0.16 + 0.12 * nearness)
  const pace = 0.1 + 0.12 * random()
  const long = stage.unit * (70 + 40 * random())
  const start = random() * 200
  const step = Math.max(8, stage.width / 44)
  const body = css(colour, 0.16 + 0.07 * nearness)
  const thread = css(mix(colour, [255, 255, 255], 0.35), 0.34)
  return {
    depth: 0.3 + 0.6 * nearness,
    paint(context, { seconds }) {
      const flow = start + seconds * pace
      const edge = (noise: Noise, x: number) =>
        centre + slope * (x - stage.width / 2) + reach * noise(x / long + flow) * 1.7
      const columns: { x: number; from: number; to: number }[] = []
      for (let x = stage.left; x <= stage.right + step; x += step) {
        columns.push({ x, from: edge(upper, x), to: edge(lower, x) })
      }
      context.globalCompositeOperation = 'lighter'
      context.fillStyle = body
      context.strokeStyle = thread
      context.lineWidth = stage.unit * (0.1 + 0.12 * nearness)
      for (let index = 0; index < THREADS; index++) {
        const share = index / (THREADS - 1)
        context.beginPath()
        for (const { x, from, to } of columns) context.lineTo(x, from + (to - from) * share)
        context.stroke()
        if (index % 5 !== 0) continue
        for (const { x, to } of columns.toReversed()) context.lineTo(x, to)
        context.fill()
      }
    },
  }
}

function orbs(
  stage: Stage,
  { depth, count, size, opacity }: { depth: number; count: number; size: number; opacity: number },
): Layer {
  const { palette } = stage.board
  const random = stage.random(`orbs ${depth}`)
  const ball = (colour: Colour) =>
    drawSprite({ left: -128, top: -128, right: 128, bottom: 128 }, (context) =>
      paintGlow(context, { x: 0, y: 0, radius: 128, colour, strength: 1 }),
    )
  const balls = [ball(palette.accent), ball(palette.glow), ball(mix(palette.accent, palette.skyLow, 0.5))]
  const places = Array.from({ length: count }, (_, index) => ({
    x: random(),
    y: random(),
    phase: random() * 7,
    radius: stage.unit * size * (0.5 + random()),
    ball: balls[index % balls.length],
  }))
  return {
    depth,
    paint(context, { seconds }) {
      context.globalCompositeOperation = 'lighter'
      for (const { x, y, phase, radius, ball } of places) {
        if (ball === undefined) continue
        context.save()
        context.globalAlpha = opacity * (0.7 + 0.3 * Math.sin(seconds * 0.9 + phase))
        context.translate(
          stage.width * (x + 0.06 * Math.sin(seconds * 0.4 + phase)),
          stage.height * (y + 0.05 * Math.cos(seconds * 0.33 + phase * 2)),
        )
        context.scale(radius / 128, radius / 128)
        placeSprite(context, ball)
        context.restore()
      }
    },
  }
}
