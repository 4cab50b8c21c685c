import { Path2D } from '@napi-rs/canvas'
import { type Colour, css, mix } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { lightRays } from '../paint/light-rays.ts'
import { fractalNoise } from '../paint/noise.ts'
import { floating } from '../paint/particles.ts'
import { ridgePath } from '../paint/ridge.ts'
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
import type { Random } from '../storyboard/seeded-random.ts'

const ROWS = 5

/** Trunks row behind row in lit air, shafts of light through the crowns, ferns at our feet. */
export const forest: SceneBuilder = (stage) => {
  const { palette, time } = stage.board
  const random = stage.random('light')
  const light = { x: stage.width * (0.3 + 0.4 * random()), y: stage.height * 0.24 }
  const leaf: Colour = time === 'night' ? [40, 70, 110] : [74, 122, 62]
  const air = mix(mix(palette.skyLow, palette.glow, 0.35), leaf, 0.22)
  const dark = mix(palette.near, mix(leaf, [0, 0, 0], 0.72), 0.6)
  const rows = Array.from({ length: ROWS }, (_, index) => trees(stage, { nearness: index / (ROWS - 1), air, dark }))
  return layered(stage, [
    still(0, drawAir(stage, light, air, leaf)),
    ...rows.flat(),
    lightRays(stage, {
      ...light,
      y: -stage.height * 0.15,
      colour: mix(palette.sun, palette.glow, 0.4),
      opacity: time === 'night' ? 0.4 : 0.95,
      angles: [Math.PI * 0.28, Math.PI * 0.72],
    }),
    undergrowth(stage, { depth: 0.85, y: 0.93, size: 9, colour: mix(dark, air, 0.12) }),
    undergrowth(stage, { depth: 1.05, y: 1, size: 15, colour: mix(dark, [0, 0, 0], 0.45) }),
    floating(stage, 'fireflies', {
      depth: 0.9,
      colour: time === 'night' ? mix([214, 255, 140], palette.accent, 0.3) : palette.sun,
      count: time === 'night' ? 46 : 60,
      size: time === 'night' ? [1, 3] : [0.4, 1.3],
      drift: [0.8, -1],
      sway: 2.6,
      light: 'pulsing',
      opacity: time === 'night' ? 0.95 : 0.6,
      band: [0.2, 1],
    }),
  ])
}

function drawAir(stage: Stage, light: { x: number; y: number }, air: Colour, leaf: Colour) {
  const { palette, time } = stage.board
  return drawSprite(stage.frame, (context) => {
    context.fillStyle = downwards(
      [stage.top, stage.bottom],
      [
        [0, mix(palette.skyMiddle, leaf, 0.4)],
        [0.45, air],
        [0.75, mix(air, palette.haze, 0.4)],
        [1, mix(leaf, palette.near, 0.5)],
      ],
    )
    context.fillRect(stage.left, stage.top, stage.right - stage.left, stage.bottom - stage.top)
    const strength = time === 'night' ? 0.5 : 0.95
    paintGlow(context, { ...light, radius: stage.unit * 90, colour: palette.glow, strength: strength * 0.7 })
    paintGlow(context, { ...light, radius: stage.unit * 34, colour: palette.sun, strength })
  })
}

function trees(stage: Stage, { nearness, air, dark }: { nearness: number; air: Colour; dark: Colour }): Layer[] {
  const random = stage.random(`trees ${nearness}`)
  const noise = fractalNoise(random, { octaves: 3, gain: 0.5 })
  const ground = (x: number) =>
    stage.height * (0.7 + 0.22 * nearness) + noise(x / stage.unit / 50) * stage.unit * (2 + 3 * nearness)
  const path = ridgePath(stage, ground)
  const girth = stage.unit * (0.9 + 4.4 * nearness ** 1.6)
  for (let x = stage.left + girth * random(); x < stage.right; x += girth * (3.4 + 4.4 * random()) + stage.unit * 3) {
    addTrunk(path, random, {
      x,
      foot: ground(x) + stage.unit,
      top: stage.top - stage.unit * 4,
      girth: girth * (0.6 + 0.7 * random()),
    })
  }
  const body = mix(air, dark, 0.16 + 0.84 * nearness ** 0.9)
  const depth = 0.15 + 0.7 * nearness
  const fill = downwards(
    [stage.height * 0.1, ground(stage.width / 2) + stage.unit * 10],
    [
      [0, mix(body, dark, 0.2)],
      [0.62, body],
      [0.86, mix(body, air, 0.28 * (1 - nearness))],
      [1, mix(body, dark, 0.4)],
    ],
  )
  // Trunks are one shape; the crowns are a picture, for their thousand leaves would be filled anew for every frame.
  const canopy = drawSprite({ ...stage, bottom: stage.height * (0.24 - 0.12 * nearness) }, (context) => {
    context.fillStyle = fill
    drawCrowns(context, stage, random, nearness)
  })
  return [
    {
      depth,
      paint(context) {
        context.fillStyle = fill
        context.fill(path)
      },
    },
    still(depth, canopy),
    mist(stage, {
      part: `ground mist ${nearness}`,
      depth,
      y: ground(stage.width / 2),
      height: stage.unit * (22 - 6 * nearness),
      colour: air,
      opacity: 0.55 - 0.42 * nearness,
      speed: 0.7 + nearness,
    }),
  ]
}

function addTrunk(
  path: Path2D,
  random: Random,
  { x, foot, top, girth }: { x: number; foot: number; top: number; girth: number },
): void {
  const lean = (random() - 0.5) * girth * 4
  const bow = (random() - 0.5) * girth * 1.6
  const middle = (foot + top) / 2
  path.moveTo(x - girth * 0.95, foot)
  path.quadraticCurveTo(x - girth * 0.48, foot - girth * 1.6, x - girth * 0.44 + bow * 0.6, middle)
  path.lineTo(x + lean - girth * 0.28, top)
  path.lineTo(x + lean + girth * 0.28, top)
  path.lineTo(x + girth * 0.44 + bow * 0.6, middle)
  path.quadraticCurveTo(x + girth * 0.48, foot - girth * 1.6, x + girth * 0.95, foot)
  path.closePath()
  const limbs = Math.floor(random() * 4)
  for (let limb = 0; limb < limbs; limb++) {
    const y = top + (foot - top) * (0.12 + 0.4 * random())
    const way = random() < 0.5 ? -1 : 1
    const reach = girth * (3 + 5 * random()) * way
    const root = x + (bow * 0.6 * (foot - y)) / (foot - middle)
    const tip = y - girth * (1.4 + 1.6 * random())
    // Drawn the same way round on both sides of the trunk: where windings oppose, the overlap would be a hole.
    const [from, to] = way > 0 ? [-0.2, 0.22] : [0.22, -0.2]
    path.moveTo(root, y + girth * from)
    path.quadraticCurveTo(root + reach * 0.5, y + girth * (from - 0.3), root + reach, tip)
    path.quadraticCurveTo(root + reach * 0.5, y + girth * (to - 0.3), root, y + girth * to)
    path.closePath()
  }
}

/** Leaves that close the top of the frame: clusters of small overlapping rounds. */
function drawCrowns(context: Context, stage: Stage, random: Random, nearness: number): void {
  const size = stage.unit * (1.4 + 2.6 * nearness)
  const low = stage.height * (0.2 - 0.12 * nearness)
  for (let x = stage.left; x < stage.right; x += size * 1.1) {
    const hang = low * (0.35 + 0.65 * random()) - stage.height * 0.04
    for (let leafY = stage.top; leafY < hang; leafY += size * 1.5) {
      const [cx, cy, radius] = [
        x + (random() - 0.5) * size * 2,
        leafY + (random() - 0.5) * size,
        size * (0.6 + 0.7 * random()),
      ]
      context.beginPath()
      context.ellipse(cx, cy, radius, radius * (0.5 + 0.4 * random()), random() * 3, 0, Math.PI * 2)
      context.fill()
    }
  }
}

/** Ferns in two clumps that sway against each other. */
function undergrowth(
  stage: Stage,
  { depth, y, size, colour }: { depth: number; y: number; size: number; colour: Colour },
): Layer {
  const random = stage.random(`undergrowth ${depth}`)
  const ground = stage.height * y + stage.unit * 2.5
  const bounds = { ...stage, top: stage.height * y - stage.unit * size * 1.3 }
  const spacing = stage.unit * size * 0.36
  const clumps = [0, 1].map((clump) =>
    drawSprite(bounds, (context) => {
      context.fillStyle = css(colour)
      if (clump === 0) context.fillRect(stage.left, ground, stage.right - stage.left, stage.bottom)
      for (let x = stage.left + clump * spacing; x < stage.right; x += spacing * 2) {
        const length = stage.unit * size * (0.6 + 0.7 * random())
        context.save()
        context.translate(x + spacing * random(), ground + stage.unit * random())
        context.rotate((random() - 0.5) * 1.9)
        context.scale(length * (random() < 0.5 ? -1 : 1), length)
        context.fill(frond())
        context.restore()
      }
    }),
  )
  return {
    depth,
    paint(context, { seconds }) {
      for (const [clump, sprite] of clumps.entries()) {
        const shear = clump === 0 ? 0 : Math.sin(seconds * 0.9 + clump * 2.2) * 0.05
        context.save()
        // Sheared about the ground, so that roots stay and tips move.
        context.transform(1, 0, shear, 1, -shear * ground, 0)
        placeSprite(context, sprite)
        context.restore()
      }
    },
  }
}

/** A frond of length 1 that grows up from the origin and bends over. */
function frond(): Path2D {
  const path = new Path2D()
  const leaflets = 11
  for (let index = 0; index < leaflets; index++) {
    const along = (index + 1) / leaflets
    const [x, y] = [0.25 * along * along, -along]
    const reach = 0.3 * Math.sin(Math.PI * (0.12 + 0.86 * along)) + 0.02
    for (const way of [-1, 1]) {
      path.moveTo(x, y + 0.03)
      path.quadraticCurveTo(x + way * reach * 0.6, y - 0.02, x + way * reach, y - reach * 0.35)
      path.quadraticCurveTo(x + way * reach * 0.4, y - 0.07, x, y - 0.05)
      path.closePath()
    }
  }
  path.moveTo(-0.014, 0.2)
  path.quadraticCurveTo(0.02, -0.6, 0.25, -1.02)
  path.quadraticCurveTo(0.06, -0.6, 0.02, 0.2)
  path.closePath()
  return path
}
