/**
 * Reads a request into a plan of what to draw and what to sound: pure, and all that scenes, camera, particles and sound
 * are made from. Words of the prompt decide what they name; everything else comes from the seed and the prompt's hash.
 */
import type { GenerationRequest, Mode } from '../../canonical/generation.ts'
import { CAMERA_WORDS, type CameraMove, PAN_WORDS } from './camera-words.ts'
import { COLOUR_WORDS, type ColourName } from './colour-words.ts'
import { hashText } from './hash-text.ts'
import { choosePalette, type Palette, weatherPalette } from './palette.ts'
import { mentions, mostMentioned, promptWords } from './prompt-words.ts'
import { SCENE_WORDS, type SceneKind } from './scene-words.ts'
import { pick, type Random, seededRandom } from './seeded-random.ts'
import { TIME_WORDS, type TimeOfDay } from './time-words.ts'

export type Weather = 'clear' | 'rain' | 'snow'

/** What `mode` changes: never the subject, only how lively it moves and how the picture is graded. */
export interface Grade {
  /** 1 leaves the picture as drawn. */
  readonly contrast: number
  readonly saturation: number
  /** Shift from blue to orange, in eighth bits of chroma. */
  readonly warmth: number
}

export interface Storyboard {
  readonly scene: SceneKind
  readonly time: TimeOfDay
  readonly weather: Weather
  readonly palette: Palette
  readonly camera: CameraMove
  /** How lively things move; 1 is normal. */
  readonly energy: number
  readonly grade: Grade
  /** What stands in the corner: names the clip an animatic, and its scene. Latin letters only. */
  readonly caption: string
  /** Seeds everything that the words left open. */
  readonly seed: number
}

const MODES: Readonly<Record<Mode, { grade: Grade; energy: number }>> = {
  fun: { grade: { contrast: 1.02, saturation: 1.3, warmth: 1 }, energy: 1.5 },
  normal: { grade: { contrast: 1.04, saturation: 1.08, warmth: 0 }, energy: 1 },
  spicy: { grade: { contrast: 1.2, saturation: 1.14, warmth: 6 }, energy: 1.15 },
}

/** The lights that suit a scene when the prompt names none. */
const USUAL_TIMES: Readonly<Record<SceneKind, readonly [TimeOfDay, ...TimeOfDay[]]>> = {
  mountains: ['dawn', 'sunset', 'day'],
  sea: ['sunset', 'dawn', 'day', 'night'],
  city: ['night', 'sunset'],
  forest: ['dawn', 'day', 'sunset'],
  desert: ['sunset', 'day', 'dawn', 'night'],
  space: ['night'],
  rain: ['night', 'sunset'],
  snow: ['dawn', 'night', 'sunset'],
  meadow: ['day', 'dawn', 'sunset'],
  studio: ['night'],
  abstract: ['night', 'sunset', 'dawn'],
}

/** What a prompt without a word that we know may become: scenes that suit anything, weather left out. */
const OPEN_SCENES: readonly [SceneKind, ...SceneKind[]] = ['abstract', 'mountains', 'sea', 'space', 'meadow', 'desert']

/** Plans a clip. Equal requests give equal storyboards. */
export function storyboard(request: GenerationRequest): Storyboard {
  const words = promptWords(request.prompt)
  const seed = (request.seed ^ hashText(request.prompt)) >>> 0
  const random = seededRandom(seed)
  const { scene, weather } = chooseScene(words, seededRandom(hashText(request.prompt)))
  const time = mostMentioned(words, TIME_WORDS) ?? pick(random, USUAL_TIMES[scene])
  const tints = (Object.keys(COLOUR_WORDS) as ColourName[]).filter(
    (name) => mentions(words, COLOUR_WORDS[name]).count > 0,
  )
  const { grade, energy } = MODES[request.mode]
  return {
    scene,
    time,
    weather,
    palette: inWeather(choosePalette(time, tints, random), { scene, weather, time }),
    camera: mostMentioned(words, CAMERA_WORDS) ?? (mentions(words, PAN_WORDS).count > 0 ? 'panRight' : 'drift'),
    energy,
    grade,
    caption: caption(scene, time),
    seed,
  }
}

/** The scenes of rain and snow have their own light; any other stands under the weather's, save that night stays dark. */
function inWeather(
  palette: Palette,
  { scene, weather, time }: { scene: SceneKind; weather: Weather; time: TimeOfDay },
): Palette {
  return scene === weather || time === 'night' ? palette : weatherPalette(palette, weather)
}

/** Rain and snow are scenes of their own only when nothing else is named: "snow on the mountains" shows mountains. */
function chooseScene(words: readonly string[], random: Random): { scene: SceneKind; weather: Weather } {
  const { rain, snow, ...places } = SCENE_WORDS
  const [rained, snowed] = [mentions(words, rain), mentions(words, snow)]
  const place = mostMentioned(words, places)
  const weather = rained.count === 0 && snowed.count === 0 ? 'clear' : rained.count >= snowed.count ? 'rain' : 'snow'
  if (weather === 'clear') return { scene: place ?? pick(random, OPEN_SCENES), weather }
  const outdoors = place !== undefined && !['studio', 'abstract', 'space'].includes(place)
  // The rain scene is a street: a city in the rain is that scene.
  if (!outdoors || (place === 'city' && weather === 'rain')) return { scene: weather, weather }
  return { scene: place, weather }
}

const TIME_NAMES: Readonly<Record<TimeOfDay, string>> = {
  dawn: 'at dawn',
  day: 'by day',
  sunset: 'at sunset',
  night: 'at night',
}
const TIMELESS: readonly SceneKind[] = ['studio', 'space', 'abstract']

function caption(scene: SceneKind, time: TimeOfDay): string {
  return TIMELESS.includes(scene) ? `animatic · ${scene}` : `animatic · ${scene} ${TIME_NAMES[time]}`
}
