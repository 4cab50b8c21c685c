import { mix } from '../paint/colour.ts'
import { paintGlow } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { fractalNoise, ridgedNoise } from '../paint/noise.ts'
import { birds, floating } from '../paint/particles.ts'
import { addPine } from '../paint/pine.ts'
import { type Profile, ridge, ridgePath } from '../paint/ridge.ts'
import { silhouette } from '../paint/silhouette.ts'
import { drawSky, placeSkyLight, type SkyLight } from '../paint/sky.ts'
import { drawSprite, type Layer, layered, placeSprite, type SceneBuilder, type Stage, still } from '../paint/stage.ts'

/** Ranges between the horizon and the slope that we stand on. */
const RANGES = 5

/** Range behind range in thickening air, mist in the valleys, a slope of pines in front. */
export const mountains: SceneBuilder = (stage) => {
  const { palette } = stage.board
  const horizon = stage.height * 0.62
  const light = placeSkyLight(stage, horizon * 0.9)
  const ranges = Array.from({ length: RANGES }, (_, index) => buildRange(stage, index / (RANGES - 1), light)).flat()
  return layered(stage, [
    still(0, drawSky(stage, { horizon, light })),
    ...ranges,
    birds(stage, { depth: 0.5, height: horizon * 0.5, colour: mix(palette.near, palette.far, 0.3) }),
    pineSlope(stage),
    floating(stage, 'dust', {
      depth: 1,
      colour: palette.sun,
      count: 26,
      size: [0.3, 0.9],
      drift: [1.6, -0.7],
      sway: 1.4,
      light: 'pulsing',
      opacity: 0.4,
    }),
  ])
}

function buildRange(stage: Stage, nearness: number, light: SkyLight): Layer[] {
  const { palette } = stage.board
  const noise = ridgedNoise(stage.random(`range ${nearness}`), { octaves: 7, gain: 0.5 })
  const swell = fractalNoise(stage.random(`swell ${nearness}`), { octaves: 2, gain: 0.5 })
  const base = stage.height * (0.56 + 0.28 * nearness)
  const height = Math.min(stage.height * 0.34, stage.unit * 62) * (1 - 0.45 * nearness)
  const wide = stage.unit * (64 - 10 * nearness)
  const profile: Profile = (x) =>
    base - (noise(x / wide + 40) - 0.42) * height - swell(x / stage.unit / 60) * height * 0.5
  const depth = 0.14 + 0.6 * nearness
  const body = mix(mix(palette.far, palette.haze, 0.3), palette.near, nearness ** 1.2 * 0.8)
  const solid = ridge(stage, profile, {
    depth,
    from: base - height * 0.7,
    to: base + height * 0.5,
    stops: [
      [0, body],
      [1, mix(body, palette.haze, 0.72 - 0.5 * nearness)],
    ],
  })
  const valley = mist(stage, {
    part: `mist ${nearness}`,
    depth: depth + 0.05,
    y: base + height * 0.42,
    height: height * 0.75,
    colour: mix(palette.haze, palette.skyLow, 0.4),
    opacity: 0.62 - 0.4 * nearness,
    speed: 0.8 + 1.6 * nearness,
  })
  if (nearness === 0) return [solid, spill(stage, light), valley]
  if (nearness === 1) return [solid]
  return [solid, valley]
}

/** Light that spills over the crests in front of the sun ties the layers to the sky. */
function spill(stage: Stage, { x, y }: SkyLight): Layer {
  const radius = stage.unit * 32
  const glow = drawSprite({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }, (context) =>
    paintGlow(context, { x, y, radius, colour: stage.board.palette.glow, strength: 0.3 }),
  )
  return {
    depth: 0,
    paint(context) {
      context.globalCompositeOperation = 'screen'
      placeSprite(context, glow)
    },
  }
}

function pineSlope(stage: Stage): Layer {
  const { palette } = stage.board
  const random = stage.random('pines')
  const noise = fractalNoise(random, { octaves: 4, gain: 0.45 })
  const fall = random() < 0.5 ? -1 : 1
  const profile: Profile = (x) =>
    stage.height * (0.93 + fall * 0.07 * ((x / stage.width) * 2 - 1)) + noise(x / stage.unit / 40) * stage.unit * 5
  const path = ridgePath(stage, profile)
  for (let x = stage.left; x < stage.right; x += stage.unit * (1.4 + 2.6 * random())) {
    const clump = 0.5 + 0.5 * noise(x / stage.unit / 14 + 300)
    const height = stage.unit * (3 + 13 * clump ** 2) * (0.7 + 0.6 * random())
    addPine(path, random, { x, y: profile(x) + stage.unit, height })
  }
  return silhouette(path, {
    depth: 0.95,
    from: stage.height * 0.78,
    to: stage.height * 1.04,
    stops: [
      [0, mix(palette.near, palette.haze, 0.14)],
      [0.6, palette.near],
      [1, mix(palette.near, [0, 0, 0], 0.4)],
    ],
  })
}
