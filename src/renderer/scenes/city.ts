import { type Colour, css, mix } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { floating, wrap } from '../paint/particles.ts'
import { drawSky, placeSkyLight } from '../paint/sky.ts'
import { stillAndSoft } from '../paint/soft-sprite.ts'
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
import { cutIntoStrips } from '../paint/strips.ts'
import type { Random } from '../storyboard/seeded-random.ts'

interface Block {
  readonly x: number
  readonly top: number
  readonly width: number
}

/** A skyline in rows by a river that carries its lights; windows go on and off, traffic runs along the quay. */
export const city: SceneBuilder = (stage) => {
  const { palette } = stage.board
  const quay = stage.height * 0.74
  const light = placeSkyLight(stage, quay * 0.8)
  const rows = [0, 0.4, 0.8].map((nearness) => skyline(stage, quay, nearness))
  return layered(stage, [
    still(0, drawSky(stage, { horizon: quay * 0.95, light })),
    glowOfTheCity(stage, quay),
    ...rows.flatMap(({ layer, windows, nearness }) => [
      layer,
      windows,
      mist(stage, {
        part: `smog ${nearness}`,
        depth: layer.depth,
        y: quay - stage.unit * 2,
        height: stage.unit * (40 - 22 * nearness),
        colour: mix(palette.haze, palette.glow, 0.3),
        opacity: 0.5 - 0.3 * nearness,
        speed: 1 + nearness,
      }),
    ]),
    river(
      stage,
      quay,
      rows.map(({ sprite }) => sprite),
    ),
    traffic(stage, quay),
    floating(stage, 'lights', {
      depth: 1,
      colour: palette.accent,
      count: 16,
      size: [2, 7],
      drift: [1.4, -0.5],
      sway: 1,
      light: 'pulsing',
      opacity: 0.16,
      band: [0.72, 1.05],
    }),
  ])
}

function glowOfTheCity(stage: Stage, quay: number): Layer {
  const { palette, time } = stage.board
  return stillAndSoft(
    0.1,
    drawSprite({ ...stage, top: quay * 0.3, bottom: quay }, (context) => {
      context.translate(stage.width / 2, quay)
      context.scale(1.6, 0.8)
      const colour = mix(palette.glow, palette.accent, 0.4)
      paintGlow(context, { x: 0, y: 0, radius: stage.height * 0.6, colour, strength: time === 'day' ? 0.1 : 0.5 })
    }),
  )
}

function skyline(stage: Stage, quay: number, nearness: number) {
  const { palette } = stage.board
  const random = stage.random(`skyline ${nearness}`)
  const tallest = Math.min(quay * 0.72, stage.unit * 95) * (1 - 0.32 * nearness)
  const middle = stage.width * (0.35 + 0.3 * random())
  const blocks: Block[] = []
  for (let x = stage.left - stage.unit * 4; x < stage.right; ) {
    const width = stage.unit * (5 + 7 * random()) * (0.8 + 0.5 * nearness)
    const towards = Math.exp(-(((x - middle) / (stage.width * 0.34)) ** 2))
    const tall = tallest * (0.16 + 0.84 * random() ** 1.6 * (0.35 + 0.65 * towards))
    blocks.push({ x, top: quay - tall, width })
    x += width * (0.82 + 0.3 * random())
  }
  const body = mix(mix(palette.far, palette.haze, 0.25), palette.near, 0.15 + nearness)
  const lit: { x: number; y: number; w: number; h: number; colour: Colour }[] = []
  const sprite = drawSprite({ ...stage, top: quay - tallest * 1.15, bottom: quay }, (context) => {
    for (const block of blocks) {
      drawBlock(context, stage, { block, quay, body, random, nearness })
      lit.push(...drawWindows(context, stage, { block, quay, random, nearness }))
    }
  })
  const depth = 0.22 + 0.5 * nearness
  const changing = lit
    .filter((_, index) => index % 9 === 0)
    .map((window) => ({ ...window, fill: css(mix(window.colour, [255, 255, 255], 0.4)), phase: random() * 40 }))
  const windows: Layer = {
    depth,
    paint(context, { seconds }) {
      for (const { x, y, w, h, fill, phase } of changing) {
        const wave = Math.sin(phase + seconds * 0.8)
        if (wave < 0.3) continue
        context.globalAlpha = Math.min(1, (wave - 0.3) * 3)
        context.fillStyle = fill
        context.fillRect(x - w * 0.15, y - h * 0.15, w * 1.3, h * 1.3)
      }
    },
  }
  const strips = cutIntoStrips(sprite)
  const layer: Layer = {
    depth,
    paint(context) {
      for (const strip of strips) placeSprite(context, strip)
    },
  }
  return { layer, windows, sprite, nearness }
}

type Pen = Parameters<Parameters<typeof drawSprite>[1]>[0]

function drawBlock(
  context: Pen,
  stage: Stage,
  {
    block,
    quay,
    body,
    random,
    nearness,
  }: { block: Block; quay: number; body: Colour; random: Random; nearness: number },
): void {
  const { palette } = stage.board
  const tone = mix(body, palette.glow, 0.1 * random() * (1 - nearness * 0.5))
  context.fillStyle = downwards(
    [block.top, quay],
    [
      [0, tone],
      [1, mix(tone, palette.haze, 0.42 - 0.3 * nearness)],
    ],
  )
  const { x, top, width } = block
  context.fillRect(x, top, width, quay - top)
  // The side that looks to the light.
  context.fillStyle = css(mix(tone, palette.glow, 0.3), 0.35)
  context.fillRect(x, top, Math.max(1, width * 0.07), quay - top)
  const crown = random()
  context.fillStyle = css(tone)
  if (crown < 0.3) {
    context.fillRect(x + width * 0.25, top - stage.unit * 2.2, width * 0.5, stage.unit * 2.3)
    context.fillRect(x + width * 0.48, top - stage.unit * 8, Math.max(1, stage.unit * 0.3), stage.unit * 8)
  } else if (crown < 0.5) {
    context.beginPath()
    context.moveTo(x, top + 1)
    context.lineTo(x + width, top + 1)
    context.lineTo(x + width, top - width * 0.55)
    context.fill()
  } else if (crown < 0.62) {
    context.fillRect(x + width * 0.16, top - stage.unit * 3, width * 0.68, stage.unit * 3.1)
    context.fillRect(x + width * 0.32, top - stage.unit * 5.6, width * 0.36, stage.unit * 3)
  }
}

function drawWindows(
  context: Pen,
  stage: Stage,
  { block, quay, random, nearness }: { block: Block; quay: number; random: Random; nearness: number },
) {
  const { palette, time } = stage.board
  const [w, h] = [stage.unit * (0.42 + 0.5 * nearness), stage.unit * (0.62 + 0.62 * nearness)]
  const [stepX, stepY] = [w * 2.1, h * 2.15]
  const share = (time === 'day' ? 0.08 : time === 'night' ? 0.42 : 0.26) * (0.4 + random())
  const tones: readonly Colour[] = [[255, 214, 150], [255, 236, 200], mix([255, 220, 170], palette.accent, 0.6)]
  const lit: { x: number; y: number; w: number; h: number; colour: Colour }[] = []
  const columns = Math.floor((block.width - w * 1.4) / stepX)
  const inset = (block.width - columns * stepX + (stepX - w)) / 2
  for (let y = block.top + stepY; y < quay - stepY; y += stepY) {
    for (let column = 0; column < columns; column++) {
      if (random() > share) continue
      const colour = tones[Math.floor(random() ** 2 * 3)] ?? [255, 214, 150]
      const x = block.x + inset + column * stepX
      context.fillStyle = css(colour, (0.35 + 0.6 * random()) * (0.62 + 0.38 * nearness))
      context.fillRect(x, y, w, h)
      lit.push({ x, y, w, h, colour })
    }
  }
  return lit
}

/** The rows upside down, pulled long and dimmed, with ripples that cut across them. */
function river(stage: Stage, quay: number, rows: readonly Sprite[]): Layer {
  const { palette } = stage.board
  const random = stage.random('river')
  const base = drawSprite({ ...stage, top: quay }, (context) => {
    context.fillStyle = css(mix(palette.skyMiddle, palette.near, 0.5))
    context.fillRect(stage.left, quay, stage.right - stage.left, stage.bottom - quay)
    context.save()
    context.translate(0, quay * 2)
    context.scale(1, -1)
    context.filter = `blur(${(stage.unit * 0.5).toFixed(2)}px)`
    for (const row of rows) placeSprite(context, row)
    context.restore()
    context.fillStyle = downwards(
      [quay, stage.height],
      [
        [0, mix(palette.near, palette.haze, 0.3), 0.25],
        [0.35, palette.near, 0.4],
        [1, palette.near, 0.88],
      ],
    )
    context.fillRect(stage.left, quay, stage.right - stage.left, stage.bottom - quay)
  })
  const ripples = Array.from({ length: 120 }, () => {
    const near = random() ** 1.4
    return {
      x: stage.left + (stage.right - stage.left) * random(),
      y: quay + stage.unit * 1.2 + near * (stage.height * 1.05 - quay),
      length: stage.unit * (2 + 9 * near) * (0.6 + random()),
      height: stage.unit * (0.14 + 0.36 * near),
      phase: random() * 7,
      colour: css(random() < 0.3 ? palette.accent : mix(palette.glow, palette.sun, random())),
    }
  })
  return {
    depth: 0.8,
    paint(context, { seconds }) {
      placeSprite(context, base)
      for (const ripple of ripples) {
        const shine = Math.sin(ripple.phase + seconds * 1.7)
        if (shine <= 0) continue
        context.globalAlpha = shine * 0.24
        context.fillStyle = ripple.colour
        context.fillRect(
          ripple.x + Math.sin(seconds + ripple.phase) * stage.unit,
          ripple.y,
          ripple.length,
          ripple.height,
        )
      }
    },
  }
}

/** Head and tail lights that run both ways along the quay. */
function traffic(stage: Stage, quay: number): Layer {
  const { palette } = stage.board
  const random = stage.random('traffic')
  const span = stage.right - stage.left
  const wall = css(mix(palette.near, [0, 0, 0], 0.35))
  const cars = Array.from({ length: 22 }, (_, index) => ({
    start: random(),
    way: index % 2 === 0 ? 1 : -1,
    speed: stage.unit * (9 + 8 * random()),
  }))
  return {
    depth: 0.72,
    paint(context, { seconds }) {
      context.fillStyle = wall
      context.fillRect(stage.left, quay - stage.unit * 1.1, span, stage.unit * 1.9)
      context.globalCompositeOperation = 'lighter'
      for (const car of cars) {
        const x = stage.left + wrap(car.start * span + car.way * car.speed * seconds, span)
        const y = quay - stage.unit * (car.way > 0 ? 0.9 : 1.4)
        const trail = stage.unit * 5 * -car.way
        const [red, green, blue] = car.way > 0 ? [255, 236, 190] : [255, 70, 56]
        const gradient = context.createLinearGradient(x, 0, x + trail, 0)
        gradient.addColorStop(0, `rgba(${red},${green},${blue},0.95)`)
        gradient.addColorStop(0.15, `rgba(${red},${green},${blue},0.35)`)
        gradient.addColorStop(1, `rgba(${red},${green},${blue},0)`)
        context.fillStyle = gradient
        context.fillRect(Math.min(x, x + trail), y, Math.abs(trail), stage.unit * 0.5)
      }
    },
  }
}
