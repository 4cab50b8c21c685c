import { Path2D } from '@napi-rs/canvas'
import { type Colour, css, mix } from '../paint/colour.ts'
import { across, around, downwards, paintGlow } from '../paint/gradient.ts'
import { floating } from '../paint/particles.ts'
import { softSprite } from '../paint/soft-sprite.ts'
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

/** What stands for the product: a form that could be anything, never a thing that the prompt did not show us. */
type Form = 'bottle' | 'orb' | 'monolith'

/**
 * The reveal: a dark seamless stage, a plinth, and a form of glass under a cone of light. The light comes up as the clip
 * runs, a highlight travels across the glass, and the floor mirrors it.
 */
export const studio: SceneBuilder = (stage) => {
  const { palette } = stage.board
  const random = stage.random('studio')
  const form = (['bottle', 'orb', 'monolith'] as const)[Math.floor(random() * 3)] ?? 'orb'
  const tall = Math.min(stage.height * 0.34, stage.unit * 40)
  const place = { x: stage.width / 2, floor: stage.height * 0.7, tall }
  const tone = mix(palette.accent, palette.glow, 0.1)
  return layered(stage, [
    still(0, drawBackdrop(stage, place, tone)),
    halo(stage, place, tone),
    still(0.45, drawPlinth(stage, place, tone)),
    product(stage, { ...place, form, tone }),
    spotlight(stage, place),
    floating(stage, 'dust', {
      depth: 0.7,
      colour: mix(palette.sun, tone, 0.3),
      count: 70,
      size: [0.25, 0.9],
      drift: [0.7, -1.1],
      sway: 1.6,
      light: 'pulsing',
      opacity: 0.55,
    }),
    floating(stage, 'bokeh', {
      depth: 1.1,
      colour: tone,
      count: 12,
      size: [4, 11],
      drift: [1.2, -0.8],
      sway: 2,
      light: 'pulsing',
      opacity: 0.13,
    }),
  ])
}

interface Place {
  readonly x: number
  readonly floor: number
  readonly tall: number
}

/** How far the lights are up at a moment: they start low and are full by the middle of the clip. */
function lightsUp(progress: number): number {
  const share = Math.min(1, progress / 0.5)
  return 0.3 + 0.7 * share * share * (3 - 2 * share)
}

function drawBackdrop(stage: Stage, { x, floor, tall }: Place, tone: Colour): Sprite {
  const { palette } = stage.board
  const ink = mix(palette.near, [5, 6, 12], 0.55)
  return drawSprite(stage.frame, (context) => {
    context.fillStyle = downwards(
      [stage.top, stage.bottom],
      [
        [0, mix(ink, [0, 0, 0], 0.5)],
        [0.48, mix(ink, tone, 0.24)],
        [0.66, mix(ink, tone, 0.32)],
        [0.72, mix(ink, tone, 0.2)],
        [1, mix(ink, [0, 0, 0], 0.4)],
      ],
    )
    context.fillRect(stage.left, stage.top, stage.right - stage.left, stage.bottom - stage.top)
    // Two lamps from the sides, one warm and one in the colour of the piece.
    const sides = [
      { x: 0, colour: mix(tone, palette.skyMiddle, 0.3) },
      { x: stage.width, colour: mix(palette.sun, [255, 110, 60], 0.85) },
    ]
    for (const lamp of sides) {
      paintGlow(context, { ...lamp, y: floor - tall, radius: stage.width * 0.62, strength: 0.2 })
    }
    // The pool of light on the floor.
    context.save()
    context.translate(x, floor + tall * 0.28)
    context.scale(1, 0.26)
    paintGlow(context, { x: 0, y: 0, radius: tall * 2.6, colour: mix(tone, palette.sun, 0.4), strength: 0.55 })
    context.restore()
  })
}

/** Light behind the product that breathes, and a thin ring that opens with the reveal. */
function halo(stage: Stage, { x, floor, tall }: Place, tone: Colour): Layer {
  const { palette } = stage.board
  const y = floor - tall * 0.62
  const glow = drawSprite(
    { left: x - tall * 1.3, right: x + tall * 1.3, top: y - tall * 1.3, bottom: y + tall * 1.3 },
    (context) => paintGlow(context, { x, y, radius: tall * 1.3, colour: tone, strength: 0.95 }),
  )
  const placeGlow = softSprite(glow)
  return {
    depth: 0.28,
    paint(context, { seconds, progress }) {
      context.globalCompositeOperation = 'screen'
      context.globalAlpha = lightsUp(progress) * (0.9 + 0.1 * Math.sin(seconds * 1.2))
      placeGlow(context)
      const open = 1 - (1 - Math.min(1, progress * 1.6)) ** 3
      context.globalAlpha = 0.55 * open
      context.strokeStyle = css(mix(tone, palette.sun, 0.5))
      for (const [index, width] of [0.5, 0.18].entries()) {
        context.lineWidth = stage.unit * width
        context.beginPath()
        const start = -Math.PI / 2 - Math.PI * open + index * 0.4 + seconds * 0.12
        context.arc(x, y, tall * (0.94 + 0.1 * index) * (0.9 + 0.1 * open), start, start + Math.PI * 2 * open * 0.86)
        context.stroke()
      }
    },
  }
}

function drawPlinth(stage: Stage, { x, floor, tall }: Place, tone: Colour): Sprite {
  const { palette } = stage.board
  const ink = mix(palette.near, [8, 9, 16], 0.5)
  const steps = [
    { half: tall * 0.92, top: floor + tall * 0.17, high: tall * 0.13 },
    { half: tall * 0.62, top: floor, high: tall * 0.17 },
  ]
  return drawSprite(
    { left: x - tall, right: x + tall, top: floor - tall * 0.2, bottom: floor + tall * 0.55 },
    (context) => {
      for (const { half, top, high } of steps) {
        const squash = 0.2
        context.fillStyle = across(
          [x - half, x + half],
          [
            [0, mix(ink, tone, 0.34)],
            [0.12, mix(ink, tone, 0.1)],
            [0.5, mix(ink, palette.sun, 0.2)],
            [0.8, mix(ink, [0, 0, 0], 0.3)],
            [0.96, mix(ink, tone, 0.22)],
            [1, mix(ink, tone, 0.5)],
          ],
        )
        context.beginPath()
        context.ellipse(x, top + high, half, half * squash, 0, 0, Math.PI)
        context.lineTo(x - half, top)
        context.ellipse(x, top, half, half * squash, 0, Math.PI, 0, true)
        context.closePath()
        context.fill()
        context.fillStyle = around({ x, y: top, radius: half }, [
          [0, mix(tone, palette.sun, 0.6)],
          [0.45, mix(ink, tone, 0.55)],
          [1, mix(ink, tone, 0.26)],
        ])
        context.beginPath()
        context.ellipse(x, top, half, half * squash, 0, 0, Math.PI * 2)
        context.fill()
        context.strokeStyle = css(mix(tone, palette.sun, 0.6), 0.5)
        context.lineWidth = stage.unit * 0.22
        context.beginPath()
        context.ellipse(x, top, half, half * squash, 0, 0.1, Math.PI - 0.1)
        context.stroke()
      }
    },
  )
}

function product(stage: Stage, { x, floor, tall, form, tone }: Place & { form: Form; tone: Colour }): Layer {
  const outline = FORMS[form](tall)
  const foot = floor + tall * 0.03
  const reach = tall * 1.3
  const glass = drawSprite({ left: -reach, right: reach, top: -reach, bottom: tall * 0.2 }, (context) =>
    drawGlass(context, { stage, outline, tall, tone }),
  )
  const sheen = across(
    [-tall * 0.3, tall * 0.3],
    [
      [0, [255, 255, 255], 0],
      [0.4, [255, 255, 255], 0.1],
      [0.5, [255, 255, 255], 0.75],
      [0.6, [255, 255, 255], 0.1],
      [1, [255, 255, 255], 0],
    ],
  )
  return {
    depth: 0.5,
    paint(context, { seconds, progress, view }) {
      const lift = form === 'orb' ? tall * (0.12 + 0.02 * Math.sin(seconds * 1.1)) : 0
      context.translate(x, foot)
      // The mirror image in the plinth, pressed flat and fading.
      context.save()
      context.globalAlpha = 0.16
      context.scale(1, -0.24)
      placeSprite(context, glass)
      context.restore()
      context.translate(0, -lift)
      placeSprite(context, glass)
      // A turn is told by the highlight that crosses the glass, once in the reveal and then with the camera.
      context.save()
      context.clip(outline)
      context.globalCompositeOperation = 'screen'
      context.globalAlpha = 0.9
      context.translate(tall * (-1.1 + 2.2 * wrapTurn(progress * 1.35 + view.x)), 0)
      context.transform(1, 0, -0.35, 1, 0, 0)
      context.fillStyle = sheen
      context.fillRect(-tall * 0.3, -tall * 1.4, tall * 0.6, tall * 1.8)
      context.restore()
      // Before the lights are up the form is half in the dark.
      context.globalAlpha = 1 - lightsUp(progress)
      context.fillStyle = 'rgba(0,0,0,0.55)'
      context.globalCompositeOperation = 'source-over'
      context.fill(outline)
    },
  }
}

function wrapTurn(turn: number): number {
  return turn - Math.floor(turn)
}

function drawGlass(
  context: Context,
  { stage, outline, tall, tone }: { stage: Stage; outline: Path2D; tall: number; tone: Colour },
): void {
  const { palette } = stage.board
  const deep = mix(tone, palette.near, 0.72)
  context.fillStyle = across(
    [-tall * 0.4, tall * 0.4],
    [
      [0, mix(tone, palette.sun, 0.55)],
      [0.1, mix(tone, deep, 0.35)],
      [0.34, mix(tone, palette.sun, 0.22)],
      [0.62, mix(tone, deep, 0.5)],
      [0.88, deep],
      [1, mix(tone, palette.glow, 0.4)],
    ],
  )
  context.fill(outline)
  context.save()
  context.clip(outline)
  // Light gathers low in glass, and the shoulder is dark.
  context.fillStyle = downwards(
    [-tall, 0],
    [
      [0, palette.near, 0.5],
      [0.3, palette.near, 0.14],
      [0.7, tone, 0],
      [1, mix(palette.sun, tone, 0.3), 0.62],
    ],
  )
  context.fillRect(-tall, -tall * 1.4, tall * 2, tall * 1.6)
  paintGlow(context, { x: 0, y: -tall * 0.16, radius: tall * 0.5, colour: palette.sun, strength: 0.42 })
  context.fillStyle = 'rgba(255,255,255,0.2)'
  context.beginPath()
  context.ellipse(-tall * 0.17, -tall * 0.56, tall * 0.035, tall * 0.22, 0.06, 0, Math.PI * 2)
  context.fill()
  // Rims: the light from behind, caught by the edges.
  context.lineWidth = stage.unit * 1.1
  context.strokeStyle = css(mix(palette.sun, tone, 0.25), 0.8)
  context.filter = `blur(${(stage.unit * 0.35).toFixed(2)}px)`
  context.stroke(outline)
  context.restore()
}

/** Outlines with their foot at the origin, at most about `tall` high. */
const FORMS: Readonly<Record<Form, (tall: number) => Path2D>> = {
  bottle(tall) {
    const path = new Path2D()
    const [half, neck] = [tall * 0.27, tall * 0.085]
    path.roundRect(-half, -tall * 0.68, half * 2, tall * 0.68, [tall * 0.12, tall * 0.12, tall * 0.05, tall * 0.05])
    path.roundRect(-neck, -tall * 0.76, neck * 2, tall * 0.1, tall * 0.01)
    path.roundRect(-tall * 0.125, -tall * 0.98, tall * 0.25, tall * 0.21, tall * 0.025)
    return path
  },
  orb(tall) {
    const path = new Path2D()
    path.arc(0, -tall * 0.44, tall * 0.38, 0, Math.PI * 2)
    return path
  },
  monolith(tall) {
    const path = new Path2D()
    path.roundRect(-tall * 0.24, -tall * 0.98, tall * 0.48, tall * 0.98, tall * 0.06)
    return path
  },
}

/** The cone of the lamp above, with haze in it. */
function spotlight(stage: Stage, { x, floor, tall }: Place): Layer {
  const { palette } = stage.board
  const top = stage.top
  const cone = drawSprite(
    { left: x - tall * 1.1, right: x + tall * 1.1, top, bottom: floor + tall * 0.4 },
    (context) => {
      context.filter = `blur(${(stage.unit * 2.4).toFixed(1)}px)`
      for (const [width, opacity] of [
        [1, 0.2],
        [0.55, 0.22],
      ] as const) {
        context.fillStyle = downwards(
          [top, floor + tall * 0.3],
          [
            [0, palette.sun, opacity * 1.3],
            [0.6, palette.sun, opacity * 0.5],
            [1, palette.sun, opacity * 0.12],
          ],
        )
        context.beginPath()
        context.moveTo(x - tall * 0.12 * width, top)
        context.lineTo(x + tall * 0.12 * width, top)
        context.lineTo(x + tall * 0.92 * width, floor + tall * 0.3)
        context.lineTo(x - tall * 0.92 * width, floor + tall * 0.3)
        context.fill()
      }
    },
  )
  const placeCone = softSprite(cone)
  return {
    depth: 0.4,
    paint(context, { seconds, progress }) {
      context.globalCompositeOperation = 'screen'
      context.globalAlpha = lightsUp(progress) * (0.8 + 0.06 * Math.sin(seconds * 0.9))
      placeCone(context)
    },
  }
}
