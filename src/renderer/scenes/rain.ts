import { type Colour, css, mix } from '../paint/colour.ts'
import { downwards, paintGlow } from '../paint/gradient.ts'
import { mist } from '../paint/haze.ts'
import { rainfall } from '../paint/particles.ts'
import {
  type Context,
  drawSprite,
  type Layer,
  layered,
  placeSprite,
  type SceneBuilder,
  type Sprite,
  type Stage,
  still,
} from '../paint/stage.ts'

interface Lamp {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly colour: Colour
}

/** A street in the rain: lamps out of focus along a vanishing road, and all of it again, long and broken, on wet asphalt. */
export const rain: SceneBuilder = (stage) => {
  const { palette, time } = stage.board
  const road = stage.height * 0.62
  const random = stage.random('street')
  const end = stage.width * (0.42 + 0.16 * random())
  const air = mix(mix(palette.skyMiddle, palette.haze, 0.4), [92, 108, 138], 0.45)
  const lamps = placeLamps(stage, road, end)
  const walls = drawSprite(stage.frame, (context) =>
    drawStreet(context, stage, { road, end, air, lit: time !== 'day' }),
  )
  return layered(stage, [
    still(0, walls),
    mist(stage, {
      part: 'spray',
      depth: 0.2,
      y: road - stage.unit * 4,
      height: stage.unit * 34,
      colour: mix(air, palette.glow, 0.25),
      opacity: 0.55,
      speed: 1.4,
    }),
    wetRoad(stage, { road, walls, lamps, air }),
    lampLights(stage, lamps),
    rainfall(stage, 'far rain', { depth: 0.2, count: 240 }),
    ripples(stage, road),
    rainfall(stage, 'rain', { depth: 0.6, count: 130 }),
    rainfall(stage, 'near rain', { depth: 1.1, count: 36 }),
  ])
}

function placeLamps(stage: Stage, road: number, end: number): Lamp[] {
  const { palette } = stage.board
  const random = stage.random('lamps')
  const tones: readonly Colour[] = [[255, 190, 110], [255, 214, 150], palette.accent, [255, 96, 84], [110, 226, 190]]
  const lamps: Lamp[] = []
  for (const side of [-1, 1]) {
    for (let place = 0; place < 7; place++) {
      const near = (place / 6) ** 1.8
      lamps.push({
        x: end + side * stage.width * (0.035 + 0.56 * near),
        y: road - stage.unit * 2 - (stage.height * 0.07 + stage.height * 0.34 * near),
        size: stage.unit * (1.2 + 4.6 * near),
        colour: tones[place % 2] ?? [255, 190, 110],
      })
    }
  }
  for (let sign = 0; sign < 22; sign++) {
    const near = random()
    const side = random() < 0.5 ? -1 : 1
    lamps.push({
      x: end + side * stage.width * (0.04 + 0.62 * near),
      y: road - stage.unit * (2 + 34 * random() * (0.3 + near)),
      size: stage.unit * (0.8 + 3.4 * near * random()),
      colour: tones[Math.floor(random() * tones.length)] ?? palette.accent,
    })
  }
  return lamps
}

/** The sky, and house fronts that run to the vanishing point, out of focus. */
function drawStreet(
  context: Context,
  stage: Stage,
  { road, end, air, lit }: { road: number; end: number; air: Colour; lit: boolean },
): void {
  const { palette } = stage.board
  const random = stage.random('houses')
  context.fillStyle = downwards(
    [stage.top, road],
    [
      [0, mix(palette.skyTop, air, 0.3)],
      [0.7, air],
      [1, mix(air, palette.glow, 0.35)],
    ],
  )
  context.fillRect(stage.left, stage.top, stage.right - stage.left, stage.bottom - stage.top)
  paintGlow(context, {
    x: end,
    y: road,
    radius: stage.height * 0.5,
    colour: mix(palette.glow, palette.sun, 0.4),
    strength: 0.6,
  })
  context.filter = `blur(${(stage.unit * 0.5).toFixed(2)}px)`
  for (let far = 7; far >= 0; far--) {
    const near = 1 - far / 7
    for (const side of [-1, 1]) {
      const inner = end + side * stage.width * (0.03 + 0.42 * near ** 1.7)
      const outer = side < 0 ? stage.left - stage.unit * 4 : stage.right + stage.unit * 4
      const top = road - stage.height * (0.12 + 0.5 * near ** 1.4) * (0.8 + 0.4 * random())
      const body = mix(mix(air, palette.far, 0.4), palette.near, 0.2 + 0.7 * near)
      context.fillStyle = downwards(
        [top, road],
        [
          [0, body],
          [1, mix(body, mix(air, palette.glow, 0.4), 0.4 * (1 - near))],
        ],
      )
      context.fillRect(Math.min(inner, outer), top, Math.abs(outer - inner), stage.bottom - top)
      const pane = stage.unit * (0.8 + 2.4 * near)
      for (let y = top + pane * 2; y < road - pane * 3; y += pane * 2.4) {
        for (let column = 0; column < 3; column++) {
          if (random() > (lit ? 0.45 : 0.15)) continue
          context.fillStyle = css(mix([255, 200, 128], palette.accent, 0.4 * random()), 0.25 + 0.5 * random())
          context.fillRect(inner + side * pane * (0.8 + column * 1.9) - (side < 0 ? pane : 0), y, pane, pane * 1.4)
        }
      }
    }
  }
}

/** The street upside down and stretched, then long columns of each lamp's light, under a dark gloss. */
function wetRoad(
  stage: Stage,
  { road, walls, lamps, air }: { road: number; walls: Sprite; lamps: readonly Lamp[]; air: Colour },
): Layer {
  const { palette } = stage.board
  const base = drawSprite({ ...stage, top: road }, (context) => {
    context.save()
    context.translate(0, road * 2)
    context.scale(1, -1)
    context.filter = `blur(${stage.unit.toFixed(2)}px)`
    placeSprite(context, walls)
    context.restore()
    context.fillStyle = downwards(
      [road, stage.height],
      [
        [0, mix(air, palette.near, 0.5), 0.2],
        [0.4, palette.near, 0.55],
        [1, mix(palette.near, [0, 0, 0], 0.3), 0.82],
      ],
    )
    context.fillRect(stage.left, road, stage.right - stage.left, stage.bottom - road)
    for (const lamp of lamps) {
      context.save()
      context.translate(lamp.x, road + (road - lamp.y) * 0.72)
      context.scale(0.2, 1)
      const radius = Math.max(lamp.size * 8, stage.unit * 12)
      paintGlow(context, { x: 0, y: 0, radius, colour: lamp.colour, strength: 0.6 })
      context.restore()
    }
  })
  const random = stage.random('gloss')
  const breaks = Array.from({ length: 120 }, () => {
    const near = random() ** 1.5
    return {
      x: stage.left + (stage.right - stage.left) * random(),
      y: road + stage.unit + near * (stage.height * 1.04 - road),
      length: stage.unit * (3 + 13 * near),
      height: stage.unit * (0.1 + 0.34 * near),
      phase: random() * 7,
    }
  })
  const light = css(mix(palette.glow, [255, 226, 190], 0.6))
  const dark = css(mix(palette.near, [0, 0, 0], 0.4))
  return {
    depth: 0.45,
    paint(context, { seconds }) {
      placeSprite(context, base)
      for (const [index, { x, y, length, height, phase }] of breaks.entries()) {
        context.globalAlpha = 0.16 * (0.5 + 0.5 * Math.sin(phase + seconds * 2.4))
        context.fillStyle = index % 3 === 0 ? light : dark
        context.fillRect(x + Math.sin(seconds * 1.3 + phase) * stage.unit * 0.6, y, length, height)
      }
    },
  }
}

/** Each lamp as a disk of bokeh with a halo in the wet air; neon flickers now and then. */
function lampLights(stage: Stage, lamps: readonly Lamp[]): Layer {
  const reach = Math.max(...lamps.map((lamp) => lamp.size)) * 5
  const field = drawSprite(
    { left: stage.left - reach, right: stage.right + reach, top: stage.top, bottom: stage.height * 0.75 },
    (context) => {
      for (const lamp of lamps) {
        paintGlow(context, { x: lamp.x, y: lamp.y, radius: lamp.size * 5, colour: lamp.colour, strength: 0.55 })
        context.fillStyle = css(mix(lamp.colour, [255, 255, 255], 0.3), 0.55)
        context.beginPath()
        context.arc(lamp.x, lamp.y, lamp.size * 0.8, 0, Math.PI * 2)
        context.fill()
        context.strokeStyle = css(mix(lamp.colour, [255, 255, 255], 0.6), 0.4)
        context.lineWidth = lamp.size * 0.1
        context.stroke()
      }
    },
  )
  return {
    depth: 0.45,
    paint(context, { seconds }) {
      context.globalCompositeOperation = 'screen'
      context.globalAlpha = 0.86 + 0.08 * Math.sin(seconds * 2.1) + 0.05 * Math.sin(seconds * 13)
      placeSprite(context, field)
    },
  }
}

/** Seconds that a ring on the water lives. */
const RIPPLE_LASTS = 0.75

function ripples(stage: Stage, road: number): Layer {
  const random = stage.random('ripples')
  const drops = Array.from({ length: 64 }, () => ({ x: random(), near: random() ** 0.8, phase: random() }))
  return {
    depth: 0.6,
    paint(context, { seconds }) {
      context.strokeStyle = 'rgba(226,234,250,1)'
      for (const [index, drop] of drops.entries()) {
        const life = drop.phase + seconds / RIPPLE_LASTS
        const age = life - Math.floor(life)
        // Another place at each life, by the golden ratio: spread out, never in a rhythm.
        const along = (drop.x + Math.floor(life) * 0.618 + index * 0.37) % 1
        const y = road + stage.unit * 3 + drop.near * (stage.height * 1.02 - road)
        const reach = stage.unit * (0.6 + 3.8 * drop.near) * age
        context.globalAlpha = (1 - age) ** 1.5 * (0.16 + 0.36 * drop.near)
        context.lineWidth = stage.unit * (0.08 + 0.14 * drop.near)
        context.beginPath()
        context.ellipse(stage.left + (stage.right - stage.left) * along, y, reach, reach * 0.3, 0, 0, Math.PI * 2)
        context.stroke()
      }
    },
  }
}
