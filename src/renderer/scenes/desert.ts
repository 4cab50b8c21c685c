import { Path2D } from '@napi-rs/canvas'

import { type Colour, css, mix, shade } from '../paint/colour.ts'
import { haze } from '../paint/haze.ts'
import { fractalNoise } from '../paint/noise.ts'
import { birds, floating } from '../paint/particles.ts'
import { type Profile, ridge } from '../paint/ridge.ts'
import { silhouette } from '../paint/silhouette.ts'
import { drawSky, placeSkyLight, type SkyLight } from '../paint/sky.ts'
import { type Layer, layered, type SceneBuilder, type Stage, still } from '../paint/stage.ts'

const DUNES = 6

/** Dunes with a lit and a shadowed flank, sand blowing off the crests, a caravan far away. */
export const desert: SceneBuilder = (stage) => {
  const { palette, time } = stage.board
  const horizon = stage.height * 0.56
  const light = placeSkyLight(stage, horizon)
  const sand: Colour =
    time === 'night'
      ? mix(palette.far, [120, 130, 190], 0.4)
      : time === 'day'
        ? [238, 190, 120]
        : mix([240, 160, 92], palette.glow, 0.35)
  const dunes = Array.from({ length: DUNES }, (_, index) =>
    dune(stage, { nearness: index / (DUNES - 1), horizon, light, sand }),
  )
  return layered(stage, [
    still(0, drawSky(stage, { horizon, light })),
    ...dunes.slice(0, 2).flat(),
    caravan(stage, horizon),
    ...dunes.slice(2).flat(),
    birds(stage, { depth: 0.4, height: horizon * 0.5, colour: mix(palette.near, palette.far, 0.3) }),
    floating(stage, 'blown sand', {
      depth: 1,
      colour: mix(sand, palette.sun, 0.5),
      count: 80,
      size: [0.25, 0.9],
      drift: [16, 1],
      sway: 1.5,
      light: 'steady',
      opacity: 0.42,
      band: [0.5, 1.05],
    }),
  ])
}

function dune(
  stage: Stage,
  { nearness, horizon, light, sand }: { nearness: number; horizon: number; light: SkyLight; sand: Colour },
): Layer[] {
  const { palette } = stage.board
  const random = stage.random(`dune ${nearness}`)
  const swell = fractalNoise(random, { octaves: 2, gain: 0.3 })
  const wide = stage.unit * (42 + 46 * nearness)
  const height = stage.unit * (7 + 15 * nearness)
  const base = horizon + stage.unit * 3 + (stage.height * 0.97 - horizon) * nearness ** 1.25
  // A fold in the noise makes the sharp crest that wind leaves; the sum keeps the flanks soft.
  const profile: Profile = (x) => base - height * (1 - Math.abs(swell(x / wide)) * 1.5) * 0.8
  const depth = 0.15 + 0.85 * nearness
  const lit = mix(mix(sand, palette.haze, 0.62 * (1 - nearness)), palette.near, 0.16 * nearness)
  const shadow = mix(mix(shade(lit, 0.62), palette.skyTop, 0.32), palette.near, 0.3 * nearness)
  const body = ridge(stage, profile, {
    depth,
    from: base - height,
    to: base + height * 1.4,
    stops: [
      [0, mix(lit, palette.sun, 0.3)],
      [0.35, lit],
      [1, mix(lit, shadow, 0.72)],
    ],
  })
  const flank = silhouette(shadowedFlank(stage, { profile, height, fromRight: light.x < stage.width / 2, random }), {
    depth,
    from: base - height,
    to: base + height * 1.2,
    stops: [
      [0, shadow, 0.82],
      [0.6, shadow, 0.5],
      [1, shadow, 0],
    ],
  })
  const air = haze(stage, {
    depth,
    from: base,
    to: base + height * 2,
    colour: palette.haze,
    opacity: 0.34 * (1 - nearness),
  })
  return [body, flank, air]
}

/** Under each crest, the side away from the light: from the crest line down along a winding edge. */
function shadowedFlank(
  stage: Stage,
  {
    profile,
    height,
    fromRight,
    random,
  }: { profile: Profile; height: number; fromRight: boolean; random: () => number },
): Path2D {
  const path = new Path2D()
  const wander = fractalNoise(random, { octaves: 3, gain: 0.5 })
  const step = Math.max(2, stage.width / 240)
  const facesAway = (x: number) => (profile(x + step) - profile(x - step)) * (fromRight ? 1 : -1) > 0
  let start: number | undefined
  for (let x = stage.left; x <= stage.right; x += step) {
    if (facesAway(x) && start === undefined) start = x
    if ((facesAway(x) && x + step <= stage.right) || start === undefined) continue
    // From the crest down the flank, and back along a line that falls away from it.
    const [from, to] = [start, x]
    path.moveTo(from, profile(from))
    for (let along = from; along <= to; along += step) path.lineTo(along, profile(along))
    for (let along = to; along >= from; along -= step) {
      const share = (along - from) / Math.max(1, to - from)
      const fall = Math.sin(Math.PI * Math.min(1, share * (fromRight ? 0.9 : 1) + (fromRight ? 0 : 0.1)))
      path.lineTo(
        along + fall * height * 0.5,
        profile(along) + height * fall * (1.5 + 0.5 * wander(along / stage.unit / 9)),
      )
    }
    path.closePath()
    start = undefined
  }
  return path
}

function caravan(stage: Stage, horizon: number): Layer {
  const { palette } = stage.board
  const random = stage.random('caravan')
  const start = stage.width * (0.25 + 0.3 * random())
  const y = horizon + stage.unit * 4.4
  const colour = css(mix(palette.near, palette.far, 0.2))
  return {
    depth: 0.26,
    paint(context, { seconds }) {
      context.fillStyle = colour
      for (let camel = 0; camel < 5; camel++) {
        const step = seconds * 2.4 + camel * 1.7
        context.save()
        context.translate(
          start + camel * stage.unit * 4.6 + seconds * stage.unit * 0.7,
          y + Math.sin(step) * stage.unit * 0.08 - camel * stage.unit * 0.12,
        )
        context.scale(stage.unit * 2.4, stage.unit * 2.4)
        context.fill(CAMEL)
        for (const [leg, offset] of [-0.42, -0.26, 0.2, 0.36].entries()) {
          const swing = Math.sin(step + leg * 1.9) * 0.09
          context.beginPath()
          context.moveTo(offset - 0.05, -0.55)
          context.lineTo(offset + 0.05, -0.55)
          context.lineTo(offset + swing + 0.025, 0)
          context.lineTo(offset + swing - 0.03, 0)
          context.fill()
        }
        context.restore()
      }
    },
  }
}

/** A camel that walks to the right, without its legs; 1 unit is about its height at the hump. */
const CAMEL = new Path2D(
  'M-0.56-0.5C-0.6-0.75-0.42-0.82-0.3-0.84C-0.2-1.1-0.06-1.2 0.04-1.05C0.12-0.92 0.2-0.84 0.36-0.82C0.5-0.78 0.56-0.86 0.6-1.02C0.63-1.16 0.7-1.22 0.8-1.22L0.94-1.16C0.98-1.12 0.94-1.07 0.86-1.07L0.76-1.06C0.76-0.86 0.68-0.6 0.42-0.5C0.2-0.42-0.3-0.42-0.56-0.5Z',
)
