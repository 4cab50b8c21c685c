import { FRAMES_PER_SECOND } from '../encode/encoder.ts'
import { drawCaption } from '../paint/caption.ts'
import { mist } from '../paint/haze.ts'
import { grainTile } from '../paint/i420.ts'
import { layOver } from '../paint/lay-over.ts'
import { createSceneOverlay, type Overlay, spriteOverlay } from '../paint/overlay.ts'
import { rainfall, snowfall } from '../paint/particles.ts'
import { type Layer, layered, type Stage } from '../paint/stage.ts'
import { applyGrade, type GradeOptions, vignetteOf } from './apply-grade.ts'
import { gradeTables, UNGRADED } from './colour-grade.ts'
import type { Look } from './look.ts'
import { soften } from './soften.ts'
import { drawTitle } from './title.ts'

/** Grain's standard deviation at its strongest, in sixteenths of a step, and the least, which hides the steps of a grade. */
const GRAIN_SIXTEENTHS = 80
const LEAST_GRAIN_SIXTEENTHS = 7
/** Seconds in which a title comes up. */
const TITLE_SECONDS = 0.6

export interface Retouch {
  /** Changes planes where they stand, to a share of the look, 0 to 1. At 0 nothing is changed. */
  apply(planes: Uint8Array, frame: number, share: number): void
}

export interface RetouchOptions {
  readonly stage: Stage
  readonly look: Look
  /** Whether the clip is named an animatic in its corner. */
  readonly caption: 'drawn' | 'none'
}

/** Everything of a look that changes single frames: colour, light, weather, title. Made once for a clip. */
export function createRetouch({ stage, look, caption: captioned }: RetouchOptions): Retouch {
  const { width, height } = stage
  const weather = createWeather(stage, look.weather)
  const title = look.title === undefined ? undefined : spriteOverlay(stage, drawTitle(stage, look.title))
  const caption = captioned === 'drawn' ? spriteOverlay(stage, drawCaption(stage)) : undefined
  const grade = createGrading(stage, look)
  return {
    apply(planes, frame, share) {
      if (share === 0) return
      softenAll(planes, { width, height, look, share })
      grade?.(planes, frame, share)
      if (weather !== undefined) layOver(planes, stage, weather(frame, share))
      if (caption !== undefined) layOver(planes, stage, { ...caption, opacity: share })
      if (title !== undefined) {
        const risen = Math.min(1, frame / (TITLE_SECONDS * FRAMES_PER_SECOND)) * share
        layOver(planes, stage, { ...title, opacity: risen })
      }
    },
  }
}

function softenAll(
  planes: Uint8Array,
  { width, height, look, share }: { width: number; height: number; look: Look; share: number },
): void {
  const pixels = width * height
  const luma = planes.subarray(0, pixels)
  // Radii in pixels of the small copy, a quarter of the frame: they grow with the frame, so that it looks the same.
  const radius = Math.max(1, Math.round(Math.min(width, height) / 160))
  if (look.blur > 0) {
    soften(luma, { width, height, share: look.blur * share, radius, how: 'blur' })
    const half = { width: width / 2, height: height / 2, share: look.blur * share, radius: Math.ceil(radius / 2) }
    soften(planes.subarray(pixels, pixels * 1.25), { ...half, how: 'blur' })
    soften(planes.subarray(pixels * 1.25), { ...half, how: 'blur' })
  }
  if (look.glow > 0) soften(luma, { width, height, share: look.glow * share, radius: radius * 2, how: 'glow' })
}

type Grading = (planes: Uint8Array, frame: number, share: number) => void

/** Nothing for a look that leaves colour and light alone. Tables are made anew only when the share changes. */
function createGrading({ width, height, board }: Stage, look: Look): Grading | undefined {
  if (look.grade === UNGRADED && look.vignette === 0 && look.grain === 0) return undefined
  const tile = grainTile(board.seed, TILE_SIXTEENTHS)
  let made: { readonly share: number; readonly options: GradeOptions } | undefined
  return (planes, frame, share) => {
    if (made?.share !== share) {
      const options = {
        width,
        height,
        tables: gradeTables(look.grade, share),
        vignette: vignetteOf(width, height, look.vignette * share),
        grain: strongGrain(tile, Math.max(LEAST_GRAIN_SIXTEENTHS, look.grain * GRAIN_SIXTEENTHS) * share),
      }
      made = { share, options }
    }
    applyGrade(planes, frame, made.options)
  }
}

/** Standard deviation of the tile that stronger grain is made from, for a tile of bytes holds none above 32. */
const TILE_SIXTEENTHS = 24

function strongGrain(tile: Int8Array, sixteenths: number): Int16Array {
  // Around 8, a half of a step: what follows rounds down.
  return Int16Array.from(tile, (value) => Math.round(((value - 7.5) * sixteenths) / TILE_SIXTEENTHS + 8))
}

/** Weather over the whole frame, drawn anew for each. */
function createWeather(
  stage: Stage,
  weather: Look['weather'],
): ((frame: number, share: number) => Overlay) | undefined {
  if (weather === 'clear') return undefined
  const overlayAt = createSceneOverlay(stage, layered(stage, weatherLayers(stage, weather)))
  const view = { x: 0, y: 0, zoom: 1 }
  return (frame, share) => overlayAt({ seconds: frame / FRAMES_PER_SECOND, progress: 0, view }, share)
}

/** Banks of fog, one above the other. */
const FOG_BANKS = 6

function weatherLayers(stage: Stage, weather: 'rain' | 'snow' | 'fog'): Layer[] {
  switch (weather) {
    case 'rain':
      return [
        rainfall(stage, 'edit far rain', { depth: 0.3, count: 260 }),
        rainfall(stage, 'edit rain', { depth: 0.7, count: 120 }),
        rainfall(stage, 'edit near rain', { depth: 1.1, count: 36 }),
      ]
    case 'snow':
      return [
        snowfall(stage, 'edit far snow', { depth: 0.2, count: 260 }),
        snowfall(stage, 'edit snow', { depth: 0.6, count: 120 }),
        snowfall(stage, 'edit near snow', { depth: 1.1, count: 30 }),
      ]
    case 'fog':
      return Array.from({ length: FOG_BANKS }, (_, index) =>
        mist(stage, {
          part: `edit fog ${index}`,
          depth: 0,
          y: stage.height * ((index + 0.5) / FOG_BANKS),
          height: stage.height * 0.42,
          colour: [206, 212, 220],
          opacity: 0.42,
          // Each against the one above it, the lower the quicker: nearer.
          speed: (2 + index) * (index % 2 === 0 ? 1 : -1),
        }),
      )
  }
}
