import { Path2D } from '@napi-rs/canvas'
import { css, mix, shade } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { fractalNoise } from '../paint/noise.ts'
import { birds } from '../paint/particles.ts'
import { silhouette } from '../paint/silhouette.ts'
import { drawSky, placeSkyLight, type SkyLight } from '../paint/sky.ts'
import { drawSprite, type Layer, layered, type SceneBuilder, type Stage, still } from '../paint/stage.ts'

/** Rows of swell between the horizon and the shore that we stand on. */
const SWELLS = 7

/** Open water under a low light: its glitter, rows of swell that roll in, a far coast and a sail. */
export const sea: SceneBuilder = (stage) => {
  const { palette } = stage.board
  const horizon = stage.height * 0.52
  const light = placeSkyLight(stage, horizon)
  const swells = Array.from({ length: SWELLS }, (_, index) => swell(stage, horizon, index / (SWELLS - 1)))
  return layered(stage, [
    still(0, drawSky(stage, { horizon, light })),
    coast(stage, horizon, { part: 'far coast', depth: 0.1, height: 9, share: 0.25 }),
    coast(stage, horizon, { part: 'near coast', depth: 0.15, height: 13, share: 0.5 }),
    water(stage, horizon, light),
    sailboat(stage, horizon),
    ...swells,
    ...(stage.board.weather === 'rain' ? [] : [glitter(stage, horizon, light)]),
    birds(stage, { depth: 0.5, height: horizon * 0.55, colour: mix(palette.near, palette.skyMiddle, 0.25) }),
  ])
}

function coast(
  stage: Stage,
  horizon: number,
  { part, depth, height, share }: { part: string; depth: number; height: number; share: number },
): Layer {
  const { palette } = stage.board
  const random = stage.random(part)
  const noise = fractalNoise(random, { octaves: 5, gain: 0.48 })
  const fromLeft = random() < 0.5
  const reach = stage.width * (0.3 + 0.35 * random())
  const path = new Path2D()
  path.moveTo(stage.left, horizon + 2)
  for (let x = stage.left; x <= stage.right; x += 2) {
    const out = fromLeft ? x : stage.width - x
    const rise = Math.max(0, 1 - out / reach) ** 0.7
    path.lineTo(x, horizon + 1 - stage.unit * height * rise * (0.62 + 0.6 * noise(x / stage.unit / 22)))
  }
  path.lineTo(stage.right, horizon + 2)
  path.closePath()
  const body = mix(mix(palette.far, palette.near, share), palette.haze, 0.45 - share * 0.5)
  return silhouette(path, {
    depth,
    from: horizon - stage.unit * height,
    to: horizon,
    stops: [
      [0, body],
      [1, mix(body, palette.haze, 0.45)],
    ],
  })
}

/** The plane of water, drawn once: the sky's colours upside down and darker, with the light's long reflection. */
function water(stage: Stage, horizon: number, light: SkyLight): Layer {
  const { palette, time } = stage.board
  const sprite = drawSprite({ ...stage.frame, top: horizon }, (context) => {
    const deep = mix(palette.skyTop, palette.near, time === 'day' ? 0.35 : 0.6)
    context.fillStyle = downwards(
      [horizon, stage.bottom],
      [
        [0, mix(palette.skyLow, palette.haze, 0.5)],
        [0.05, mix(palette.skyMiddle, palette.skyLow, 0.45)],
        [0.3, shade(mix(palette.skyMiddle, deep, 0.55), 0.9)],
        [1, deep],
      ],
    )
    context.fillRect(stage.left, horizon, stage.right - stage.left, stage.bottom - horizon)
    context.save()
    context.translate(light.x, horizon)
    context.scale(0.36, 1)
    paintGlow(context, { x: 0, y: 0, radius: stage.height * 0.62, colour: palette.glow, strength: 0.75 })
    context.restore()
  })
  return still(0, sprite)
}

/** Sparks on the water below the light: each a flat stroke that comes and goes in its own time. */
function glitter(stage: Stage, horizon: number, light: SkyLight): Layer {
  const random = stage.random('glitter')
  const { palette } = stage.board
  const reach = stage.height * 0.5
  const sparks = Array.from({ length: 260 }, () => {
    const near = random() ** 1.5
    const spread = (random() + random() - 1) * (3 + 30 * near)
    return {
      x: light.x + spread * stage.unit,
      y: horizon + stage.unit * 0.4 + near * reach,
      length: stage.unit * (0.5 + 4.6 * near) * (0.5 + random()),
      thickness: stage.unit * (0.14 + 0.5 * near),
      phase: random() * Math.PI * 2,
      pace: 1.6 + 2.2 * random(),
    }
  })
  const colour = css(mix(palette.sun, palette.glow, 0.25))
  return {
    depth: 0,
    paint(context, { seconds }) {
      context.fillStyle = colour
      for (const spark of sparks) {
        const shine = Math.sin(spark.phase + seconds * spark.pace)
        if (shine <= 0) continue
        context.globalAlpha = shine * 0.8
        const length = spark.length * (0.5 + 0.5 * shine)
        context.fillRect(spark.x - length / 2, spark.y, length, spark.thickness)
      }
    },
  }
}

function sailboat(stage: Stage, horizon: number): Layer {
  const { palette } = stage.board
  const random = stage.random('sailboat')
  const x = stage.width * (random() < 0.5 ? 0.16 + 0.14 * random() : 0.7 + 0.14 * random())
  const size = stage.unit * (7 + 3 * random())
  const y = horizon + stage.unit * 5
  const sail = css(mix(palette.sun, palette.accent, 0.2))
  const jib = css(mix(palette.sun, palette.near, 0.28))
  const hull = css(palette.near)
  return {
    depth: 0.3,
    paint(context, { seconds }) {
      context.translate(x + seconds * stage.unit * 0.8, y + Math.sin(seconds * 1.1) * stage.unit * 0.35)
      context.rotate(Math.sin(seconds * 0.9 + 1) * 0.035)
      context.scale(size, size)
      context.fillStyle = 'rgba(0,0,0,0.14)'
      context.fillRect(-0.5, 0.16, 1, 0.07)
      context.fillStyle = sail
      context.beginPath()
      context.moveTo(0.04, -1.4)
      context.quadraticCurveTo(0.66, -0.6, 0.6, -0.12)
      context.lineTo(0.04, -0.12)
      context.fill()
      context.fillStyle = jib
      context.beginPath()
      context.moveTo(-0.03, -1.25)
      context.quadraticCurveTo(-0.32, -0.5, -0.5, -0.12)
      context.lineTo(-0.03, -0.12)
      context.fill()
      context.fillStyle = hull
      context.beginPath()
      context.moveTo(-0.62, -0.06)
      context.lineTo(0.72, -0.06)
      context.quadraticCurveTo(0.55, 0.2, 0.35, 0.2)
      context.lineTo(-0.4, 0.2)
      context.fill()
    },
  }
}

/** One row of swell; the nearer, the higher, the quicker and the darker, with a thread of foam on its crest. */
function swell(stage: Stage, horizon: number, nearness: number): Layer {
  const { palette, time, energy } = stage.board
  const random = stage.random(`swell ${nearness}`)
  const y = horizon + (stage.height * 1.02 - horizon) * (0.1 + 0.88 * nearness ** 1.5)
  const height = stage.unit * (0.25 + 3.1 * nearness ** 1.3)
  const [long, short] = [stage.unit * (16 + 60 * nearness), stage.unit * (5 + 15 * nearness)]
  const phase = random() * Math.PI * 2
  const pace = (0.5 + 0.5 * nearness) * Math.sqrt(energy)
  const deep = mix(palette.skyTop, palette.near, (time === 'day' ? 0.2 : 0.42) + 0.45 * nearness)
  const body = mix(mix(palette.skyMiddle, deep, 0.45 + 0.4 * nearness), palette.glow, 0.1 * (1 - nearness))
  const fill = downwards(
    [y - height, y + stage.unit * (4 + 18 * nearness)],
    [
      [0, mix(body, palette.skyLow, 0.36), 0.62],
      [0.35, body, 0.5],
      [1, deep, nearness > 0.9 ? 0.9 : 0.12],
    ],
  )
  const foam = css(mix(palette.sun, palette.skyLow, 0.4), 0.18 + 0.34 * nearness)
  const step = Math.max(3, stage.width / 110)
  return {
    depth: 0.25 + 0.75 * nearness,
    paint(context, { seconds }) {
      const heave = Math.sin(seconds * pace + phase) * height * 0.5
      const crest = (x: number) =>
        y +
        heave -
        height * Math.sin(x / long + seconds * pace * 1.1 + phase) -
        height * 0.4 * Math.sin(x / short - seconds * pace * 1.7 + phase * 3)
      context.beginPath()
      context.moveTo(stage.left, crest(stage.left))
      for (let x = stage.left + step; x <= stage.right + step; x += step) context.lineTo(x, crest(x))
      context.strokeStyle = foam
      context.lineWidth = stage.unit * (0.1 + 0.32 * nearness)
      context.stroke()
      context.lineTo(stage.right, stage.bottom + stage.height * 0.1)
      context.lineTo(stage.left, stage.bottom + stage.height * 0.1)
      context.fillStyle = fill
      context.fill()
    },
  }
}
