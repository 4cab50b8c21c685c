import { Path2D } from '@napi-rs/canvas'
import { type Colour, css, mix } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { fractalNoise, planeNoise, ridgedNoise } from '../paint/noise.ts'
import { snowfall } from '../paint/particles.ts'
import { addPine } from '../paint/pine.ts'
import { type Profile, ridge } from '../paint/ridge.ts'
import { drawSky, placeSkyLight } from '../paint/sky.ts'
import { drawSprite, type Layer, layered, type SceneBuilder, type Stage, still } from '../paint/stage.ts'

/** A snowed-in valley: white hills, pines, a hut with a lit window; at night the northern lights. */
export const snow: SceneBuilder = (stage) => {
  const { palette, time } = stage.board
  const horizon = stage.height * 0.6
  const white: Colour = time === 'night' ? [118, 140, 196] : mix([236, 243, 255], palette.skyLow, 0.28)
  const light = placeSkyLight(stage, horizon * 0.9)
  return layered(stage, [
    still(0, drawSky(stage, { horizon, light })),
    ...(time === 'night' ? [northernLights(stage, horizon)] : []),
    peaks(stage, horizon, white),
    woods(stage, {
      part: 'far woods',
      y: horizon + stage.unit * 1,
      height: 5,
      depth: 0.25,
      colour: mix(palette.far, palette.near, 0.25),
    }),
    mist(stage, {
      part: 'breath',
      depth: 0.3,
      y: horizon + stage.unit * 3,
      height: stage.unit * 16,
      colour: mix(palette.haze, white, 0.5),
      opacity: 0.6,
      speed: 1.2,
    }),
    hill(stage, {
      part: 'far hill',
      y: horizon + stage.unit * 6,
      swing: 4,
      depth: 0.4,
      white: mix(white, palette.haze, 0.35),
    }),
    snowfall(stage, 'far flakes', { depth: 0.25, count: 160 }),
    ...hut(stage, groundOf(stage, 'hill', horizon + stage.unit * 13, 5)),
    hill(stage, {
      part: 'hill',
      y: horizon + stage.unit * 13,
      swing: 5,
      depth: 0.6,
      white: mix(white, palette.haze, 0.12),
    }),
    woods(stage, {
      part: 'near woods',
      y: horizon + stage.unit * 17,
      height: 15,
      depth: 0.72,
      colour: mix(palette.near, palette.far, 0.25),
    }),
    hill(stage, { part: 'near hill', y: horizon + stage.unit * 23, swing: 6, depth: 0.9, white }),
    snowfall(stage, 'flakes', { depth: 0.6, count: 110 }),
    snowfall(stage, 'near flakes', { depth: 1.1, count: 34 }),
  ])
}

function peaks(stage: Stage, horizon: number, white: Colour): Layer {
  const { palette } = stage.board
  const noise = ridgedNoise(stage.random('peaks'), { octaves: 6, gain: 0.5 })
  const height = stage.unit * 34
  const body = mix(palette.far, palette.haze, 0.35)
  return ridge(stage, (x) => horizon - (noise(x / stage.unit / 56) - 0.3) * height, {
    depth: 0.14,
    from: horizon - height * 0.7,
    to: horizon + height * 0.2,
    stops: [
      [0, mix(white, body, 0.1)],
      [0.36, mix(white, body, 0.42)],
      [0.6, body],
      [1, mix(body, palette.haze, 0.8)],
    ],
  })
}

function hill(
  stage: Stage,
  { part, y, swing, depth, white }: { part: string; y: number; swing: number; depth: number; white: Colour },
): Layer {
  const { palette } = stage.board
  return ridge(stage, groundOf(stage, part, y, swing), {
    depth,
    from: y - stage.unit * swing,
    to: y + stage.unit * 24,
    stops: [
      [0, mix(white, palette.glow, 0.22)],
      [0.18, white],
      [1, mix(white, mix(palette.skyTop, palette.far, 0.5), 0.6)],
    ],
  })
}

function groundOf(stage: Stage, part: string, y: number, swing: number): Profile {
  const noise = fractalNoise(stage.random(part), { octaves: 3, gain: 0.35 })
  return (x) => y + noise(x / stage.unit / 48) * stage.unit * swing
}

function woods(
  stage: Stage,
  { part, y, height, depth, colour }: { part: string; y: number; height: number; depth: number; colour: Colour },
): Layer {
  const { palette } = stage.board
  const random = stage.random(part)
  const noise = fractalNoise(random, { octaves: 3, gain: 0.5 })
  const path = new Path2D()
  for (let x = stage.left; x < stage.right; x += stage.unit * height * (0.12 + 0.22 * random())) {
    const clump = noise(x / stage.unit / 26)
    if (clump < -0.12) continue
    addPine(path, random, {
      x,
      y: y + stage.unit * height * (0.2 + 0.16 * random()),
      height: stage.unit * height * (0.55 + 0.6 * random() + 0.4 * clump),
    })
  }
  const row = drawSprite(
    { ...stage, top: y - stage.unit * height * 1.7, bottom: y + stage.unit * height },
    (context) => {
      context.fillStyle = downwards(
        [y - stage.unit * height, y + stage.unit * height * 0.3],
        [
          [0, mix(colour, [255, 255, 255], 0.26)],
          [0.5, colour],
          [1, mix(colour, palette.haze, 0.45)],
        ],
      )
      context.fill(path)
    },
  )
  return still(depth, row)
}

/** A hut behind the middle hill: its window and its smoke are the one warm thing in the picture. */
function hut(stage: Stage, ground: Profile): Layer[] {
  const { palette } = stage.board
  const random = stage.random('hut')
  const x = stage.width * (0.3 + 0.4 * random())
  const size = stage.unit * 5.4
  const y = ground(x) - size * 0.25
  const warm: Colour = [255, 190, 104]
  const walls = drawSprite(
    { left: x - size * 6, right: x + size * 6, top: y - size * 6, bottom: y + size * 4 },
    (context) => {
      context.fillStyle = css(mix(palette.near, [60, 34, 24], 0.4))
      context.fillRect(x - size, y - size, size * 2, size * 1.6)
      context.fillRect(x + size * 0.42, y - size * 2.1, size * 0.26, size)
      context.fillStyle = css(mix([244, 248, 255], palette.haze, 0.3))
      context.beginPath()
      context.moveTo(x - size * 1.3, y - size * 0.86)
      context.quadraticCurveTo(x - size * 0.3, y - size * 1.6, x, y - size * 2)
      context.quadraticCurveTo(x + size * 0.3, y - size * 1.6, x + size * 1.3, y - size * 0.86)
      context.quadraticCurveTo(x, y - size * 1.02, x - size * 1.3, y - size * 0.86)
      context.fill()
      context.fillStyle = css(warm)
      context.fillRect(x - size * 0.55, y - size * 0.62, size * 0.44, size * 0.46)
      context.fillRect(x + size * 0.16, y - size * 0.62, size * 0.44, size * 0.46)
      paintGlow(context, { x, y: y - size * 0.3, radius: size * 5, colour: warm, strength: 0.5 })
    },
  )
  const puffs = Array.from({ length: 9 }, (_, index) => ({ start: index / 9, sway: random() * 7 }))
  const smoke: Layer = {
    depth: 0.6,
    paint(context, { seconds }) {
      context.fillStyle = css(mix(palette.haze, [255, 255, 255], 0.4))
      for (const puff of puffs) {
        const age = (puff.start + seconds * 0.13) % 1
        context.globalAlpha = 0.26 * Math.sin(Math.PI * age)
        context.beginPath()
        const drift = age * size * 1.7 + Math.sin(puff.sway + seconds) * size * 0.14 * age
        context.arc(x + size * 0.55 + drift, y - size * (2.1 + age * 3.2), size * (0.14 + 0.5 * age), 0, Math.PI * 2)
        context.fill()
      }
    },
  }
  return [still(0.6, walls), smoke]
}

/** Curtains of light: a folded noise, bright at the lower hem and fading upwards; two that slide against each other. */
function northernLights(stage: Stage, horizon: number): Layer {
  const { palette } = stage.board
  const [wide, high] = [160, 90]
  const curtains = [0, 1].map((index) => {
    const random = stage.random(`curtain ${index}`)
    const fold = planeNoise(random, 3)
    const tone = index === 0 ? mix([90, 255, 180], palette.accent, 0.25) : mix([150, 110, 255], palette.accent, 0.4)
    return drawSprite({ left: 0, top: 0, right: wide, bottom: high }, (context) => {
      const image = context.createImageData(wide, high)
      for (let x = 0; x < wide; x++) {
        const hem = high * (0.6 + 0.3 * fold(x / 46, index * 7))
        const rays = 0.55 + 0.45 * fold(x / 5, 20 + index)
        for (let y = 0; y < high; y++) {
          const above = (hem - y) / high
          const body = above < 0 ? Math.max(0, 1 + above * 14) : Math.exp(-above * 4.4)
          const edge = Math.min(1, y / 14) * Math.min(1, Math.min(x, wide - x) / 20)
          image.data.set([...tone.map(Math.round), Math.round(190 * body * rays * edge)], (y * wide + x) * 4)
        }
      }
      context.putImageData(image, 0, 0)
    })
  })
  return {
    depth: 0.07,
    paint(context, { seconds }) {
      context.globalCompositeOperation = 'screen'
      for (const [index, curtain] of curtains.entries()) {
        context.globalAlpha = 0.7 + 0.25 * Math.sin(seconds * 0.8 + index * 2)
        const slide = Math.sin(seconds * 0.22 + index * 2.4) * stage.width * 0.07
        context.drawImage(
          curtain.canvas,
          stage.left + slide - stage.width * 0.1,
          horizon * 0.02,
          stage.width * 1.55,
          horizon * 0.9,
        )
      }
    },
  }
}
