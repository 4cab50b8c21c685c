import { Path2D } from '@napi-rs/canvas'
import { type Colour, css, mix } from '../paint/colour.ts'
import { downwards } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { lightRays } from '../paint/light-rays.ts'
import { fractalNoise } from '../paint/noise.ts'
import { floating } from '../paint/particles.ts'
import { ridgePath } from '../paint/ridge.ts'
import { drawSky, placeSkyLight } from '../paint/sky.ts'
import {
  type Context,
  drawSprite,
  type Layer,
  layered,
  placeSprite,
  type SceneBuilder,
  type Stage,
  still,
} from '../paint/stage.ts'

/** Rolling hills with trees, beds of flowers that sway in rows, butterflies that cross, pollen in the light. */
export const meadow: SceneBuilder = (stage) => {
  const { palette, time } = stage.board
  const horizon = stage.height * 0.54
  const light = placeSkyLight(stage, horizon)
  const leaf: Colour =
    time === 'night' ? [26, 62, 84] : time === 'day' ? [96, 168, 72] : mix([120, 142, 58], palette.glow, 0.18)
  const hills = [0, 0.35, 0.7].map((nearness) => hill(stage, { nearness, horizon, leaf }))
  return layered(stage, [
    still(0, drawSky(stage, { horizon, light })),
    ...hills.flat(),
    lightRays(stage, {
      ...light,
      colour: mix(palette.sun, palette.glow, 0.5),
      opacity: time === 'night' ? 0.12 : 0.34,
      angles: [Math.PI * 0.1, Math.PI * 0.9],
    }),
    flowerBed(stage, { part: 'far bed', y: 0.86, size: 8, depth: 0.62, leaf: mix(leaf, palette.haze, 0.12) }),
    butterflies(stage, { depth: 0.75, count: 2, size: 2.6 }),
    flowerBed(stage, { part: 'bed', y: 0.97, size: 14, depth: 0.82, leaf: mix(leaf, palette.near, 0.28) }),
    floating(stage, 'pollen', {
      depth: 0.9,
      colour: mix(palette.sun, [255, 240, 190], 0.5),
      count: 50,
      size: [0.3, 1.3],
      drift: [1.6, -1.1],
      sway: 2.4,
      light: 'pulsing',
      opacity: 0.7,
      band: [0.25, 1],
    }),
    butterflies(stage, { depth: 0.95, count: 1, size: 5.4 }),
    flowerBed(stage, { part: 'near bed', y: 1.1, size: 24, depth: 1.05, leaf: mix(leaf, palette.near, 0.62) }),
  ])
}

function hill(stage: Stage, { nearness, horizon, leaf }: { nearness: number; horizon: number; leaf: Colour }): Layer[] {
  const { palette } = stage.board
  const random = stage.random(`hill ${nearness}`)
  const noise = fractalNoise(random, { octaves: 3, gain: 0.36 })
  const y = horizon + (stage.height * 0.86 - horizon) * nearness
  const swing = stage.unit * (6 + 3 * nearness)
  const ground = (x: number) => y + noise(x / stage.unit / 55) * swing
  const path = ridgePath(stage, ground)
  for (let x = stage.left; x < stage.right; x += stage.unit * (2 + 5 * random()) * (0.7 + nearness)) {
    if (noise(x / stage.unit / 20 + 90) < 0.1) continue
    addBroadleaf(path, random, {
      x,
      y: ground(x) + stage.unit * 0.4,
      size: stage.unit * (2 + 5.5 * nearness) * (0.6 + 0.7 * random()),
    })
  }
  const far = 1 - nearness
  const body = mix(leaf, palette.haze, 0.62 * far)
  const depth = 0.16 + 0.4 * nearness
  const row = drawSprite({ ...stage, top: y - swing - stage.unit * (8 + 16 * nearness) }, (context) => {
    context.fillStyle = downwards(
      [y - swing * 1.4, y + swing * 2.4],
      [
        [0, mix(mix(body, palette.near, 0.14 + 0.2 * nearness), palette.glow, 0.1)],
        [0.34, mix(body, palette.glow, 0.3)],
        [1, mix(body, palette.near, 0.12 + 0.24 * nearness)],
      ],
    )
    context.fill(path)
  })
  const air = mist(stage, {
    part: `hill mist ${nearness}`,
    depth,
    y: y + swing,
    height: stage.unit * 14,
    colour: mix(palette.haze, palette.sun, 0.3),
    opacity: 0.4 * far,
    speed: 1,
  })
  return [still(depth, row), air]
}

/** A round tree: a short trunk under a heap of rounds. */
function addBroadleaf(
  path: Path2D,
  random: () => number,
  { x, y, size }: { x: number; y: number; size: number },
): void {
  path.rect(x - size * 0.06, y - size * 0.8, size * 0.12, size * 0.8)
  for (let puff = 0; puff < 8; puff++) {
    const [angle, out] = [random() * Math.PI * 2, random() * size * 0.4]
    const [cx, cy, radius] = [
      x + Math.cos(angle) * out,
      y - size * 1.1 + Math.sin(angle) * out * 0.8,
      size * (0.26 + 0.2 * random()),
    ]
    path.moveTo(cx + radius, cy)
    path.arc(cx, cy, radius, 0, Math.PI * 2)
  }
}

/** Grass and flowers of one distance, in two clumps that lean in the wind against each other. */
function flowerBed(
  stage: Stage,
  { part, y, size, depth, leaf }: { part: string; y: number; size: number; depth: number; leaf: Colour },
): Layer {
  const { palette, time } = stage.board
  const random = stage.random(part)
  const ground = stage.height * y
  const length = stage.unit * size
  const dim = time === 'night' ? 0.5 : 0.06
  const petals = [
    palette.accent,
    [255, 244, 232] as const,
    mix(palette.accent, [255, 226, 90], 0.6),
    mix(palette.accent, [190, 120, 255], 0.6),
  ].map((tone) => mix(tone, palette.near, dim))
  const clumps = [0, 1].map((clump) =>
    drawSprite({ ...stage, top: ground - length * 1.4, bottom: Math.max(stage.bottom, ground) }, (context) => {
      if (clump === 0) {
        context.fillStyle = downwards(
          [ground - length * 0.4, ground + length * 0.5],
          [
            [0, leaf, 0],
            [0.4, leaf, 1],
            [1, mix(leaf, palette.near, 0.6)],
          ],
        )
        context.fillRect(stage.left, ground - length * 0.4, stage.right - stage.left, stage.height)
      }
      for (let x = stage.left; x < stage.right; x += length * 0.038) {
        drawBlade(context, {
          x: x + random() * length * 0.1,
          ground,
          height: length * (0.3 + 0.55 * random()),
          lean: (random() - 0.5) * length * 0.4,
          colour: mix(leaf, random() < 0.5 ? palette.glow : palette.near, 0.26 * random()),
        })
      }
      for (let x = stage.left + length * 0.3 * random(); x < stage.right; x += length * (0.2 + 0.5 * random())) {
        const colour = petals[Math.floor(random() * petals.length)] ?? palette.accent
        drawFlower(context, {
          x,
          ground,
          height: length * (0.55 + 0.7 * random()),
          size: length * (0.1 + 0.07 * random()),
          colour,
          leaf,
          random,
        })
      }
    }),
  )
  return {
    depth,
    paint(context, { seconds }) {
      for (const [clump, sprite] of clumps.entries()) {
        const shear = Math.sin(seconds * 1.1 + clump * 2.1 + size) * 0.07 + Math.sin(seconds * 0.43 + size) * 0.04
        context.save()
        context.transform(1, 0, shear, 1, -shear * ground, 0)
        placeSprite(context, sprite)
        context.restore()
      }
    },
  }
}

function drawBlade(
  context: Context,
  { x, ground, height, lean, colour }: { x: number; ground: number; height: number; lean: number; colour: Colour },
): void {
  const width = height * 0.045
  context.fillStyle = css(colour)
  context.beginPath()
  context.moveTo(x - width, ground)
  context.quadraticCurveTo(x - width * 0.6, ground - height * 0.6, x + lean, ground - height)
  context.quadraticCurveTo(x + width * 0.8, ground - height * 0.55, x + width, ground)
  context.fill()
}

function drawFlower(
  context: Context,
  flower: {
    x: number
    ground: number
    height: number
    size: number
    colour: Colour
    leaf: Colour
    random: () => number
  },
): void {
  const { x, ground, height, size, colour, leaf, random } = flower
  const headX = x + (random() - 0.5) * height * 0.3
  const headY = ground - height
  context.strokeStyle = css(leaf)
  context.lineWidth = size * 0.13
  context.beginPath()
  context.moveTo(x, ground)
  context.quadraticCurveTo(x, ground - height * 0.6, headX, headY)
  context.stroke()
  const petals = 5 + Math.floor(random() * 4)
  const squash = 0.55 + 0.4 * random()
  for (let petal = 0; petal < petals; petal++) {
    const angle = (petal / petals) * Math.PI * 2
    context.fillStyle = css(mix(colour, [255, 255, 255], 0.12 + 0.12 * Math.sin(angle + 2)))
    context.beginPath()
    context.ellipse(
      headX + Math.cos(angle) * size * 0.5,
      headY + Math.sin(angle) * size * 0.5 * squash,
      size * 0.42,
      size * 0.26,
      Math.atan2(Math.sin(angle) * squash, Math.cos(angle)),
      0,
      Math.PI * 2,
    )
    context.fill()
  }
  context.fillStyle = css(mix([250, 196, 70], leaf, 0.12))
  context.beginPath()
  context.ellipse(headX, headY, size * 0.27, size * 0.27 * squash, 0, 0, Math.PI * 2)
  context.fill()
}

/** Butterflies that wander along curves that never repeat within a clip; wings close towards us and away. */
function butterflies(stage: Stage, { depth, count, size }: { depth: number; count: number; size: number }): Layer {
  const { palette, energy } = stage.board
  const random = stage.random(`butterflies ${depth}`)
  const swarm = Array.from({ length: count }, () => ({
    phase: random() * 9,
    x: 0.3 + 0.4 * random(),
    y: 0.56 + 0.16 * random(),
    hue: random(),
  }))
  return {
    depth,
    paint(context, { seconds }) {
      for (const { phase, x, y, hue } of swarm) {
        const time = seconds * 0.62 + phase
        context.save()
        context.translate(
          stage.width * (x + 0.24 * Math.sin(time * 0.7) + 0.07 * Math.sin(time * 2.3)),
          stage.height * (y + 0.06 * Math.sin(time * 1.7 + 2)) + stage.unit * 0.8 * Math.sin(seconds * 9 + phase),
        )
        context.rotate(0.35 * Math.sin(time * 1.3) + 0.2)
        context.scale(stage.unit * size, stage.unit * size)
        const beat = Math.abs(Math.sin(seconds * 5.2 * Math.sqrt(energy) + phase))
        drawButterfly(context, mix(palette.accent, [255, 190, 70], hue * 0.7), 0.22 + 0.78 * beat)
        context.restore()
      }
    },
  }
}

function drawButterfly(context: Context, colour: Colour, open: number): void {
  for (const way of [-1, 1]) {
    context.save()
    context.scale(way * open, 1)
    context.fillStyle = css(mix(colour, [20, 12, 20], 0.72))
    context.fill(WING)
    context.translate(0.09, -0.02)
    context.scale(0.8, 0.8)
    context.fillStyle = css(mix(colour, [255, 255, 255], way > 0 ? 0.12 : 0))
    context.fill(WING)
    context.restore()
  }
  context.fillStyle = '#1c141a'
  context.beginPath()
  context.ellipse(0, 0, 0.055, 0.42, 0, 0, Math.PI * 2)
  context.fill()
}

/** A right pair of wings, their root at the origin, 1 unit long. */
const WING = new Path2D(
  'M0.02-0.08C0.2-0.6 0.6-0.86 0.92-0.74C1.06-0.66 0.98-0.2 0.6-0.04C0.8 0.04 0.86 0.3 0.7 0.52C0.52 0.76 0.14 0.5 0.02 0.1Z',
)
