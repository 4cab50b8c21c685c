import { createCanvas } from '@napi-rs/canvas'
import { type Colour, css, mix, shade } from '../paint/colour.ts'
import { around, paintGlow } from '../paint/gradient.ts'
import { planeNoise } from '../paint/noise.ts'
import { floating, wrap } from '../paint/particles.ts'
import {
  type Context,
  drawSprite,
  type Layer,
  layered,
  type SceneBuilder,
  type Sprite,
  type Stage,
  still,
} from '../paint/stage.ts'

/** A nebula behind three depths of stars, a banded planet with its air lit from the side, now and then a meteor. */
export const space: SceneBuilder = (stage) => {
  const random = stage.random('places')
  const side = random() < 0.5 ? -1 : 1
  const planet = {
    x: stage.width * (0.5 + side * 0.17),
    y: stage.height * (0.6 + 0.08 * random()),
    radius: stage.unit * (24 + 7 * random()),
  }
  return layered(stage, [
    still(0, nebula(stage)),
    stars(stage, { depth: 0.25, count: 90, size: 0.42 }),
    meteors(stage),
    still(0.55, drawPlanet(stage, { ...planet, side })),
    moon(stage, planet, side),
  ])
}

/** The nebula is soft: it is computed at this share of the frame's size and stretched. */
const NEBULA_SHARE = 0.32

function nebula(stage: Stage): Sprite {
  const { palette } = stage.board
  const [width, height] = [stage.right - stage.left, stage.bottom - stage.top]
  const small = createCanvas(Math.ceil(width * NEBULA_SHARE), Math.ceil(height * NEBULA_SHARE))
  const context = small.getContext('2d')
  const image = context.createImageData(small.width, small.height)
  const body = planeNoise(stage.random('nebula'), 6)
  const warp = planeNoise(stage.random('nebula warp'), 3)
  const dust = planeNoise(stage.random('nebula dust'), 5)
  const tones: readonly [Colour, Colour, Colour, Colour] = [
    mix(palette.skyTop, [2, 3, 10], 0.72),
    mix(palette.skyMiddle, palette.skyTop, 0.2),
    mix(palette.glow, palette.accent, 0.45),
    mix(palette.sun, palette.accent, 0.35),
  ]
  const ramp = Array.from({ length: 256 }, (_, index) => rampColour(tones, index / 255))
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      const [u, v] = [(x / NEBULA_SHARE / stage.unit) * 0.021, (y / NEBULA_SHARE / stage.unit) * 0.021]
      const [bendX, bendY] = [warp(u * 0.8, v * 0.8), warp(u * 0.8 + 31, v * 0.8 + 11)]
      // A band from corner to corner, as a galaxy seen from inside.
      const off = (x / small.width - 0.5) * 0.9 + (y / small.height - 0.5) * 0.8 + bendX * 0.22
      const band = Math.exp(-off * off * 7)
      const cloud = 0.5 + 0.62 * body(u * 1.3 + bendX * 1.6, v * 1.3 + bendY * 1.6)
      const lanes = Math.max(0, dust(u * 2.6 + bendY, v * 2.6 + bendX)) * 0.7
      const value = Math.min(1, Math.max(0, cloud * (0.22 + 0.85 * band) - lanes * band))
      const tone = ramp[Math.floor(value * 255)] ?? tones[0]
      image.data.set([...tone, 255], (y * small.width + x) * 4)
    }
  }
  context.putImageData(image, 0, 0)
  return drawSprite(stage.frame, (target) => {
    target.imageSmoothingQuality = 'high'
    target.drawImage(small, stage.left, stage.top, width, height)
    for (let glow = 0, random = stage.random('nebula glows'); glow < 4; glow++) {
      const along = random() - 0.5
      paintGlow(target, {
        x: stage.width * (0.5 + along),
        y: stage.height * (0.5 - along * 0.9) + (random() - 0.5) * stage.unit * 20,
        radius: stage.unit * (18 + 26 * random()),
        colour: mix(palette.glow, palette.accent, random()),
        strength: 0.26,
      })
    }
    drawFarStars(target, stage)
  })
}

function rampColour([first, second, third, fourth]: readonly [Colour, Colour, Colour, Colour], value: number): Colour {
  if (value < 0.45) return mix(first, second, value / 0.45)
  if (value < 0.8) return mix(second, third, (value - 0.45) / 0.35)
  return mix(third, fourth, (value - 0.8) / 0.2)
}

/** The farthest stars stand in the nebula's picture: they are many, and too far to move. */
function drawFarStars(context: Context, stage: Stage): void {
  const random = stage.random('far stars')
  const count = Math.round((stage.width * stage.height) / stage.unit ** 2 / 30)
  for (let star = 0; star < count; star++) {
    const [x, y] = [stage.width * random(), stage.height * random()]
    const tone = mix([255, 255, 255], stage.board.palette.glow, random() * 0.6)
    context.fillStyle = css(tone, 0.25 + 0.7 * random() ** 2)
    context.beginPath()
    context.arc(x, y, stage.unit * (0.08 + 0.16 * random() ** 4), 0, Math.PI * 2)
    context.fill()
  }
}

/** Nearer stars, which the camera parts from each other; a few of them twinkle in points. */
function stars(stage: Stage, { depth, count, size }: { depth: number; count: number; size: number }): Layer {
  const random = stage.random(`stars ${depth}`)
  const field = floating(stage, `field ${depth}`, {
    depth,
    colour: mix([255, 255, 255], stage.board.palette.glow, 0.2),
    count,
    size: [size * 0.5, size * 1.6],
    drift: [0, 0],
    sway: 0,
    light: 'pulsing',
    opacity: 0.9,
  })
  const twinkling = Array.from({ length: 7 }, () => ({
    x: stage.width * random(),
    y: stage.height * random(),
    phase: random() * 7,
    reach: stage.unit * size * (5 + 5 * random()),
  }))
  return {
    depth,
    paint(context, moment) {
      const { seconds } = moment
      field.paint(context, moment)
      context.globalCompositeOperation = 'source-over'
      context.fillStyle = '#ffffff'
      for (const { x, y, phase, reach } of twinkling) {
        const shine = (0.5 + 0.5 * Math.sin(phase + seconds * 1.8)) ** 2
        context.globalAlpha = shine * 0.85
        context.beginPath()
        const [far, near] = [reach * (0.5 + 0.5 * shine), reach * 0.07]
        for (let point = 0; point < 8; point++) {
          const [angle, out] = [(point * Math.PI) / 4, point % 2 === 0 ? far : near]
          context.lineTo(x + Math.cos(angle) * out, y + Math.sin(angle) * out)
        }
        context.fill()
      }
    },
  }
}

function drawPlanet(
  stage: Stage,
  { x, y, radius, side }: { x: number; y: number; radius: number; side: number },
): Sprite {
  const { palette } = stage.board
  const random = stage.random('planet')
  const tint = mix(palette.accent, palette.far, 0.35)
  const tilt = side * (0.25 + 0.2 * random())
  const reach = radius * 2.4
  return drawSprite({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach }, (context) => {
    paintGlow(context, {
      x: x - side * radius * 0.25,
      y: y - radius * 0.2,
      radius: radius * 1.75,
      colour: palette.glow,
      strength: 0.5,
    })
    const ring = (from: number, to: number) =>
      drawRings({
        context,
        random: stage.random('rings'),
        x,
        y,
        radius,
        tilt,
        from,
        to,
        colour: mix(palette.sun, tint, 0.5),
      })
    ring(Math.PI, Math.PI * 2)
    context.save()
    context.beginPath()
    context.arc(x, y, radius, 0, Math.PI * 2)
    context.clip()
    context.translate(x, y)
    context.rotate(tilt)
    for (let band = -radius; band < radius; ) {
      const thick = radius * (0.05 + 0.16 * random())
      context.fillStyle = css(mix(shade(tint, 0.72 + 0.5 * random()), palette.sun, 0.26 * random()))
      context.beginPath()
      context.ellipse(0, band, radius * 1.5, thick * 1.6, 0, 0, Math.PI * 2)
      context.fill()
      context.fillRect(-radius * 1.2, band, radius * 2.4, thick * 3)
      band += thick
    }
    context.rotate(-tilt)
    // Night on the far side, and a lit rim of air on the near one.
    const [lightX, lightY] = [-side * radius * 0.62, -radius * 0.5]
    context.fillStyle = around({ x: lightX, y: lightY, radius: radius * 1.95 }, [
      [0, palette.sun, 0.34],
      [0.35, palette.sun, 0.02],
      [0.5, [0, 0, 6], 0.2],
      [0.78, [0, 0, 8], 0.86],
      [1, [0, 0, 10], 0.97],
    ])
    context.fillRect(-radius, -radius, radius * 2, radius * 2)
    context.restore()
    ring(0, Math.PI)
  })
}

function drawRings({
  context,
  random,
  x,
  y,
  radius,
  tilt,
  from,
  to,
  colour,
}: {
  context: Parameters<Parameters<typeof drawSprite>[1]>[0]
  random: () => number
  x: number
  y: number
  radius: number
  tilt: number
  from: number
  to: number
  colour: Colour
}): void {
  for (let out = 1.32; out < 2.1; out += 0.028) {
    const gap = Math.abs(out - 1.74) < 0.03 ? 0.05 : 1
    context.strokeStyle = css(mix(colour, [255, 255, 255], random() * 0.4), (0.12 + 0.4 * random()) * gap)
    context.lineWidth = radius * 0.03
    context.beginPath()
    context.ellipse(x, y, radius * out, radius * out * 0.24, tilt, from, to)
    context.stroke()
  }
}

/** A small moon that rides around the planet and is hidden on the far half of its way. */
function moon(stage: Stage, planet: { x: number; y: number; radius: number }, side: number): Layer {
  const { palette } = stage.board
  const size = planet.radius * 0.11
  return {
    depth: 0.62,
    paint(context, { seconds }) {
      const angle = 0.5 + seconds * 0.16
      const x = planet.x + Math.cos(angle) * planet.radius * 1.75 * -side
      const y = planet.y - planet.radius * 0.42 + Math.sin(angle) * planet.radius * 0.5
      context.fillStyle = around({ x: x - side * size * 0.5, y: y - size * 0.5, radius: size * 1.7 }, [
        [0, mix(palette.sun, [255, 255, 255], 0.4)],
        [0.45, mix(palette.far, [190, 190, 200], 0.6)],
        [1, [8, 9, 18]],
      ])
      context.beginPath()
      context.arc(x, y, size, 0, Math.PI * 2)
      context.fill()
    },
  }
}

/** Seconds from one meteor to the next, and how long each is seen. */
const METEOR_EVERY = 2.7
const METEOR_LASTS = 0.7

function meteors(stage: Stage): Layer {
  const random = stage.random('meteors')
  const ways = Array.from({ length: 12 }, () => ({ x: random(), y: random() * 0.45, angle: 0.35 + 0.4 * random() }))
  return {
    depth: 0.2,
    paint(context, { seconds }) {
      const since = wrap(seconds + METEOR_EVERY * 0.6, METEOR_EVERY) / METEOR_LASTS
      if (since > 1) return
      const way = ways[Math.floor((seconds + METEOR_EVERY * 0.6) / METEOR_EVERY) % ways.length]
      if (way === undefined) return
      const [dx, dy] = [Math.cos(way.angle) * stage.unit, Math.sin(way.angle) * stage.unit]
      const [x, y] = [way.x * stage.width + dx * since * 45, way.y * stage.height + dy * since * 45]
      const tail = context.createLinearGradient(x, y, x - dx * 16, y - dy * 16)
      tail.addColorStop(0, `rgba(255,255,255,${Math.sin(Math.PI * since).toFixed(3)})`)
      tail.addColorStop(1, 'rgba(255,255,255,0)')
      context.strokeStyle = tail
      context.lineWidth = stage.unit * 0.32
      context.lineCap = 'round'
      context.beginPath()
      context.moveTo(x, y)
      context.lineTo(x - dx * 16, y - dy * 16)
      context.stroke()
    },
  }
}
