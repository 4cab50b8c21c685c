import { mix } from './colour.ts'
import { downwards, paintGlow } from './gradient.ts'
import { type Context, drawSprite, type Sprite, type Stage } from './stage.ts'

/** Where the sun or moon stands, in frame pixels. */
export interface SkyLight {
  readonly x: number
  readonly y: number
  readonly radius: number
}

/** Chooses a place for the sun or moon above a horizon: low at dawn and sunset, high by day and night. */
export function placeSkyLight(stage: Stage, horizon: number): SkyLight {
  const random = stage.random('sky light')
  const high = stage.board.time === 'day' || stage.board.time === 'night'
  return {
    x: stage.width * (0.24 + 0.52 * random()),
    y: horizon * (high ? 0.22 + 0.16 * random() : 0.66 + 0.14 * random()),
    radius: stage.unit * (stage.board.time === 'night' ? 4.6 : 5.6),
  }
}

/**
 * The whole sky as one sprite, to be placed at depth 0: gradient, stars at night, the light with its glow, and
 * streaks of thin cloud.
 */
export function drawSky(stage: Stage, { horizon, light }: { horizon: number; light: SkyLight | undefined }): Sprite {
  return drawSprite(stage.frame, (context) => {
    const { palette, time } = stage.board
    context.fillStyle = downwards(
      [0, horizon],
      [
        [0, palette.skyTop],
        [0.3, mix(palette.skyTop, palette.skyMiddle, 0.45)],
        [0.62, palette.skyMiddle],
        [0.86, mix(palette.skyMiddle, palette.skyLow, 0.7)],
        [1, palette.skyLow],
      ],
    )
    context.fillRect(stage.left, stage.top, stage.right - stage.left, stage.bottom - stage.top)
    if (time === 'night') drawStars(context, stage, horizon)
    if (light !== undefined) drawSkyLight(context, stage, light)
    drawCirrus(context, stage, horizon)
  })
}

function drawSkyLight(context: Context, stage: Stage, light: SkyLight): void {
  const { palette, time, weather } = stage.board
  if (weather === 'rain') {
    // Behind the clouds: a brighter place, without a disk.
    paintGlow(context, { ...light, radius: stage.unit * 90, colour: palette.glow, strength: 0.3 })
    return
  }
  const wide = time === 'night' ? 0.45 : time === 'day' ? 0.55 : 0.85
  paintGlow(context, { ...light, radius: stage.unit * 120, colour: palette.glow, strength: wide * 0.7 })
  paintGlow(context, { ...light, radius: stage.unit * 42, colour: palette.glow, strength: wide })
  context.fillStyle = `rgb(${palette.sun.map(Math.round).join(',')})`
  context.shadowColor = context.fillStyle
  context.shadowBlur = stage.unit * 2.4
  context.beginPath()
  context.arc(light.x, light.y, light.radius, 0, Math.PI * 2)
  context.fill()
  context.shadowBlur = 0
  if (time === 'night') drawMoonSeas(context, stage, light)
}

/** Faint grey patches, or the moon reads as a lamp. */
function drawMoonSeas(context: Context, stage: Stage, { x, y, radius }: SkyLight): void {
  const random = stage.random('moon seas')
  context.save()
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.clip()
  context.fillStyle = 'rgba(120,130,170,0.16)'
  for (let sea = 0; sea < 7; sea++) {
    const [angle, out] = [random() * Math.PI * 2, radius * Math.sqrt(random()) * 0.8]
    context.beginPath()
    context.ellipse(
      x + Math.cos(angle) * out,
      y + Math.sin(angle) * out,
      radius * (0.14 + 0.24 * random()),
      radius * (0.1 + 0.2 * random()),
      random() * 3,
      0,
      Math.PI * 2,
    )
    context.fill()
  }
  context.restore()
}

function drawStars(context: Context, stage: Stage, horizon: number): void {
  const random = stage.random('stars')
  const count = Math.round((stage.width * stage.height) / stage.unit ** 2 / 42)
  for (let star = 0; star < count; star++) {
    const x = stage.left + (stage.right - stage.left) * random()
    const y = stage.top + (horizon * 0.96 - stage.top) * random()
    const size = stage.unit * (0.1 + 0.24 * random() ** 5)
    const fade = 1 - Math.max(0, y / horizon) ** 2
    context.fillStyle = `rgba(255,255,255,${((0.25 + 0.7 * random()) * fade).toFixed(3)})`
    context.beginPath()
    context.arc(x, y, size, 0, Math.PI * 2)
    context.fill()
  }
}

/** Thin clouds: many flat, blurred ellipses in a few drifts, lit from below. */
function drawCirrus(context: Context, stage: Stage, horizon: number): void {
  const random = stage.random('cirrus')
  const { palette, time } = stage.board
  const tone = time === 'night' ? mix(palette.skyMiddle, palette.glow, 0.25) : mix(palette.skyLow, palette.sun, 0.5)
  context.save()
  context.filter = `blur(${(stage.unit * 0.9).toFixed(2)}px)`
  for (let drift = 0; drift < 5; drift++) {
    const [x, y] = [stage.width * (random() * 1.2 - 0.1), horizon * (0.18 + 0.62 * random())]
    const reach = stage.width * (0.16 + 0.2 * random())
    for (let puff = 0; puff < 16; puff++) {
      const along = random() * 2 - 1
      const opacity = (1 - along * along) * (time === 'night' ? 0.05 : 0.1)
      context.fillStyle = `rgba(${tone.map(Math.round).join(',')},${opacity.toFixed(3)})`
      context.beginPath()
      const length = reach * (0.2 + 0.3 * random())
      const height = stage.unit * (0.35 + 1.1 * random())
      context.ellipse(x + along * reach, y + (random() - 0.5) * stage.unit * 4, length, height, 0, 0, Math.PI * 2)
      context.fill()
    }
  }
  context.restore()
}
