import { type Colour, colour, mix } from '../paint/colour.ts'
import { type ColourName, NAMED_COLOURS } from './colour-words.ts'
import type { Random } from './seeded-random.ts'
import type { TimeOfDay } from './time-words.ts'

/** The colours of one clip; each scene draws with these alone, so that it always holds together. */
export interface Palette {
  readonly skyTop: Colour
  readonly skyMiddle: Colour
  readonly skyLow: Colour
  /** The disk of sun or moon. */
  readonly sun: Colour
  /** The light around it. */
  readonly glow: Colour
  /** Air between the layers: what far things fade into. */
  readonly haze: Colour
  /** The farthest and the nearest solid layer; those between are blends. */
  readonly far: Colour
  readonly near: Colour
  /** Flowers, neon, sails: the one colour that stands out. */
  readonly accent: Colour
}

/** Two palettes for each light; a clip takes a blend of the two that its seed chooses. */
const PALETTES: Readonly<Record<TimeOfDay, readonly [Palette, Palette]>> = {
  dawn: [
    palette(['#54679f', '#dfa0ae', '#ffdcb4'], ['#fff3d8', '#ffc690'], ['#f4cbb9', '#a497ba', '#262545'], '#f2887a'),
    palette(['#6f9cc4', '#d3c3d8', '#ffe6c4'], ['#fffbea', '#ffd9a0'], ['#efdbcd', '#93a6c0', '#1d3048'], '#f0a060'),
  ],
  day: [
    palette(['#2473c8', '#74b6ea', '#dcf0f7'], ['#fffdf0', '#fff1c0'], ['#cbe3ee', '#82aecd', '#173f44'], '#ffb347'),
    palette(['#2f93c4', '#90d2de', '#f4f3da'], ['#fffdf0', '#fff6c8'], ['#d8ebe2', '#86bcbd', '#1c4d3a'], '#ff8a5c'),
  ],
  sunset: [
    palette(['#261d56', '#c4426a', '#ffb561'], ['#fff2c8', '#ff9a4a'], ['#f58c5e', '#8c4474', '#170f2e'], '#ff5c6a'),
    palette(['#17335c', '#d9684f', '#ffd28c'], ['#fff6d4', '#ffae5c'], ['#f2a878', '#7d5874', '#11152b'], '#ffc14d'),
  ],
  night: [
    palette(['#050a22', '#132455', '#34538f'], ['#f4f6ff', '#8ea8ff'], ['#34518c', '#22356a', '#040818'], '#7fd4ff'),
    palette(['#090620', '#271857', '#5c3c88'], ['#fff4fb', '#c49aff'], ['#4d3a80', '#362563', '#090515'], '#ff8ad0'),
  ],
}

/** How far a colour word of the prompt pulls the light, and the one colour that stands out. */
const TINT_LIGHT = 0.34
const TINT_ACCENT = 0.85

/** The palette for a light, tinted by the colour words of the prompt. */
export function choosePalette(time: TimeOfDay, tints: readonly ColourName[], random: Random): Palette {
  const [first, second] = PALETTES[time]
  let chosen = blend(first, second, () => random())
  for (const name of tints) chosen = tint(chosen, NAMED_COLOURS[name])
  return chosen
}

/** The palette under a rain cloud or over snow. */
export function weatherPalette(base: Palette, weather: 'clear' | 'rain' | 'snow'): Palette {
  if (weather === 'clear') return base
  const [cloud, share] = weather === 'rain' ? [RAIN_CLOUD, 0.5] : [SNOW_LIGHT, 0.34]
  return {
    ...base,
    skyTop: mix(base.skyTop, cloud, share),
    skyMiddle: mix(base.skyMiddle, cloud, share),
    skyLow: mix(base.skyLow, cloud, share * 0.6),
    haze: mix(base.haze, cloud, share),
    far: mix(base.far, cloud, share),
    near: mix(base.near, cloud, share * 0.3),
  }
}

const RAIN_CLOUD = colour('#5d6b80')
const SNOW_LIGHT = colour('#c9d8ee')

function tint(base: Palette, towards: Colour): Palette {
  return {
    ...base,
    skyTop: mix(base.skyTop, towards, TINT_LIGHT * 0.5),
    skyMiddle: mix(base.skyMiddle, towards, TINT_LIGHT),
    skyLow: mix(base.skyLow, towards, TINT_LIGHT * 0.8),
    glow: mix(base.glow, towards, TINT_LIGHT),
    haze: mix(base.haze, towards, TINT_LIGHT),
    far: mix(base.far, towards, TINT_LIGHT),
    near: mix(base.near, towards, TINT_LIGHT * 0.3),
    accent: mix(base.accent, towards, TINT_ACCENT),
  }
}

function blend(first: Palette, second: Palette, share: () => number): Palette {
  const amount = share()
  return {
    skyTop: mix(first.skyTop, second.skyTop, amount),
    skyMiddle: mix(first.skyMiddle, second.skyMiddle, amount),
    skyLow: mix(first.skyLow, second.skyLow, amount),
    sun: mix(first.sun, second.sun, amount),
    glow: mix(first.glow, second.glow, amount),
    haze: mix(first.haze, second.haze, amount),
    far: mix(first.far, second.far, amount),
    near: mix(first.near, second.near, amount),
    accent: mix(first.accent, second.accent, nearOneEnd(share())),
  }
}

/** An even share bent to either end: half-way between two bright colours lies a dull one. */
function nearOneEnd(share: number): number {
  return share < 0.5 ? share * 0.4 : 1 - (1 - share) * 0.4
}

type Hex = `#${string}`

function palette(
  [skyTop, skyMiddle, skyLow]: [Hex, Hex, Hex],
  [sun, glow]: [Hex, Hex],
  [haze, far, near]: [Hex, Hex, Hex],
  accent: Hex,
): Palette {
  return {
    skyTop: colour(skyTop),
    skyMiddle: colour(skyMiddle),
    skyLow: colour(skyLow),
    sun: colour(sun),
    glow: colour(glow),
    haze: colour(haze),
    far: colour(far),
    near: colour(near),
    accent: colour(accent),
  }
}
