import { SAMPLE_RATE } from '../encode/encoder.ts'
import { hashText } from '../storyboard/hash-text.ts'
import type { SceneKind } from '../storyboard/scene-words.ts'
import { type Random, seededRandom } from '../storyboard/seeded-random.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'
import { chimes, chirps, cityHum, pad, rainSound, type Voice, waves, wind } from './voices.ts'

/** Seconds of fade at both ends: no click, and a loop breathes rather than jumps. */
const FADE_SECONDS = 0.5
/** Of full scale, before the soft limit: well under it, as background should be. */
const LEVEL = 0.6

export interface Ambience {
  /** The next `count` samples of both channels, interleaved, within −1 to 1. */
  next(count: number): Float32Array
}

interface Part {
  readonly voice: Voice
  readonly level: number
}

/** The sound of a scene, made as it is asked for. The same storyboard and length always sound the same. */
export function createAmbience(board: Storyboard, durationSeconds: number): Ambience {
  const random = (part: string) => seededRandom((board.seed ^ hashText(`sound ${part}`)) >>> 0)
  const parts = [...sceneParts(board.scene, board, random), ...weatherParts(board, random)]
  const total = durationSeconds * SAMPLE_RATE
  const out = new Float64Array(2)
  let position = 0
  return {
    next(count) {
      const samples = new Float32Array(count * 2)
      for (let index = 0; index < count; index++, position++) {
        const seconds = position / SAMPLE_RATE
        let left = 0
        let right = 0
        for (const { voice, level } of parts) {
          voice(seconds, out)
          left += (out[0] ?? 0) * level
          right += (out[1] ?? 0) * level
        }
        const fade = fadeAt(position, total) * LEVEL
        samples[index * 2] = softLimit(left * fade)
        samples[index * 2 + 1] = softLimit(right * fade)
      }
      return samples
    },
  }
}

/** Bends what would clip; nearly straight below a half, and never reaches 1. */
function softLimit(value: number): number {
  return value / Math.sqrt(1 + value * value)
}

function fadeAt(position: number, total: number): number {
  const share = Math.min(1, Math.max(0, Math.min(position, total - position)) / (FADE_SECONDS * SAMPLE_RATE))
  return share * share * (3 - 2 * share)
}

function weatherParts(board: Storyboard, random: (part: string) => Random): Part[] {
  if (board.weather === 'rain' && board.scene !== 'rain') return [{ voice: rainSound(random('rain')), level: 0.7 }]
  if (board.weather === 'snow' && board.scene !== 'snow') return [{ voice: wind(random('snow'), 300), level: 0.5 }]
  return []
}

/** Hertz. An open fifth and a ninth: neither glad nor sad, so it suits any picture. */
const OPEN_CHORD = [110, 164.81, 246.94, 329.63]
const BRIGHT_CHORD = [146.83, 220, 277.18, 369.99]
const DEEP_CHORD = [55, 82.41, 123.47, 185]
/** A pentatonic scale, on which any two notes agree. */
const BELLS = [659.25, 739.99, 880, 987.77, 1318.51]

function sceneParts(scene: SceneKind, board: Storyboard, random: (part: string) => Random): Part[] {
  const night = board.time === 'night'
  const birds: Part = { voice: chirps(random('birds'), { hertz: 2900, everySeconds: 1.6 }), level: 0.32 }
  const crickets: Part = { voice: chirps(random('crickets'), { hertz: 4300, everySeconds: 0.7 }), level: 0.16 }
  const life = night ? crickets : birds
  const softPad = (chord: readonly number[], level: number): Part => ({ voice: pad(random('pad'), chord), level })
  switch (scene) {
    case 'mountains':
      return [{ voice: wind(random('wind'), 420), level: 0.8 }, softPad(OPEN_CHORD, 0.4)]
    case 'sea':
      return [{ voice: waves(random('waves')), level: 0.9 }, softPad(OPEN_CHORD, 0.22)]
    case 'city':
      return [{ voice: cityHum(random('city')), level: 0.9 }, softPad(OPEN_CHORD, 0.4)]
    case 'forest':
      return [{ voice: wind(random('wind'), 700), level: 0.4 }, life, softPad(OPEN_CHORD, 0.25)]
    case 'desert':
      return [{ voice: wind(random('wind'), 560), level: 0.9 }, softPad(DEEP_CHORD, 0.45)]
    case 'space':
      return [softPad(DEEP_CHORD, 0.9), { voice: chimes(random('bells'), BELLS, 2.2), level: 0.35 }]
    case 'rain':
      return [
        { voice: rainSound(random('rain')), level: 0.85 },
        { voice: cityHum(random('city')), level: 0.3 },
        softPad(OPEN_CHORD, 0.3),
      ]
    case 'snow':
      return [
        { voice: wind(random('wind'), 300), level: 0.7 },
        { voice: chimes(random('bells'), BELLS, 1.8), level: 0.25 },
      ]
    case 'meadow':
      return [{ voice: wind(random('wind'), 800), level: 0.25 }, life, softPad(BRIGHT_CHORD, 0.4)]
    case 'studio':
      return [softPad(OPEN_CHORD, 0.8), { voice: chimes(random('bells'), BELLS, 1.5), level: 0.3 }]
    case 'abstract':
      return [softPad(BRIGHT_CHORD, 0.8), { voice: chimes(random('bells'), BELLS, 1.3), level: 0.3 }]
  }
}
