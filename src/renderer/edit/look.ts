/**
 * Reads the words of an edit into what is done to the video: pure. Everything that the prompt names is joined; a prompt
 * without a word that we know gets a look of its own, by its hash, for an edit that changes nothing would look broken.
 */
import type { GenerationRequest, Mode } from '../../canonical/generation.ts'
import { CAMERA_WORDS, type CameraMove, PAN_WORDS } from '../storyboard/camera-words.ts'
import { COLOUR_WORDS, type ColourName, NAMED_COLOURS } from '../storyboard/colour-words.ts'
import { hashText } from '../storyboard/hash-text.ts'
import { mentions, mostMentioned, promptWords } from '../storyboard/prompt-words.ts'
import { SCENE_WORDS } from '../storyboard/scene-words.ts'
import { pick, seededRandom } from '../storyboard/seeded-random.ts'
import { TIME_WORDS } from '../storyboard/time-words.ts'
import { type ColourGrade, joinGrades, tintGrade, UNGRADED } from './colour-grade.ts'
import { LOOK_NAMES, LOOK_WORDS, type LookName } from './look-words.ts'
import { titleOf } from './title.ts'

export interface Look {
  readonly grade: ColourGrade
  readonly weather: 'clear' | 'rain' | 'snow' | 'fog'
  /** How movement feels; the length never changes. */
  readonly pace: 'usual' | 'slow' | 'fast'
  /** Shares, 0 to 1. */
  readonly glow: number
  readonly blur: number
  readonly vignette: number
  readonly grain: number
  /** Nothing when the prompt does not move the camera. */
  readonly camera: CameraMove | undefined
  /** Words that are to stand in the picture. */
  readonly title: string | undefined
}

const PLAIN: Look = {
  grade: UNGRADED,
  weather: 'clear',
  pace: 'usual',
  glow: 0,
  blur: 0,
  vignette: 0,
  grain: 0,
  camera: undefined,
  title: undefined,
}

/** What each word changes. */
const LOOKS: Readonly<Record<LookName, Partial<Look>>> = {
  warm: { grade: graded({ saturation: 1.08, shadows: [-5, 6], highlights: [-17, 13] }) },
  cold: { grade: graded({ saturation: 0.86, shadows: [10, -6], highlights: [15, -11] }) },
  monochrome: { grade: graded({ saturation: 0, contrast: 0.35 }) },
  sepia: { grade: graded({ saturation: 0, lift: 0.04, shadows: [-12, 9], highlights: [-22, 14] }), vignette: 0.4 },
  vivid: { grade: graded({ saturation: 1.55, contrast: 0.4 }) },
  muted: { grade: graded({ saturation: 0.55, contrast: -0.25, lift: 0.07, exposure: 0.15 }) },
  brighter: { grade: graded({ exposure: 0.65, saturation: 1.05 }) },
  darker: { grade: graded({ exposure: -0.85, contrast: 0.25, saturation: 0.85 }), vignette: 0.5 },
  vintage: {
    grade: graded({ saturation: 0.66, contrast: 0.2, lift: 0.09, shadows: [5, -7], highlights: [-16, 8] }),
    grain: 0.8,
    vignette: 0.6,
  },
  cinematic: {
    grade: graded({ contrast: 0.45, saturation: 0.92, shadows: [9, -9], highlights: [-11, 9] }),
    vignette: 0.45,
    grain: 0.25,
  },
  dreamy: { grade: graded({ lift: 0.03, saturation: 1.1, highlights: [-2, 5] }), glow: 1 },
  blurred: { blur: 1 },
  vignette: { vignette: 1 },
  grainy: { grain: 1 },
  foggy: { grade: graded({ contrast: -0.2, saturation: 0.6, lift: 0.12 }), weather: 'fog' },
  slow: { grade: graded({ saturation: 0.9, contrast: -0.1 }), pace: 'slow' },
  fast: { grade: graded({ contrast: 0.3, saturation: 1.2 }), pace: 'fast' },
}

const RAIN_GRADE = graded({ exposure: -0.35, saturation: 0.68, contrast: -0.1, shadows: [6, -4], highlights: [6, -5] })
const SNOW_GRADE = graded({ exposure: 0.22, saturation: 0.62, lift: 0.05, shadows: [7, -4], highlights: [5, -3] })

/** The light of a time of day, put over a video of any other. */
const TIME_GRADES = {
  dawn: graded({ lift: 0.05, saturation: 0.9, shadows: [6, 3], highlights: [-10, 11] }),
  day: graded({ exposure: 0.3, contrast: 0.15, saturation: 1.08 }),
  sunset: graded({ exposure: -0.2, contrast: 0.25, saturation: 1.12, shadows: [8, 7], highlights: [-26, 22] }),
  night: graded({ exposure: -1.15, contrast: 0.2, saturation: 0.5, shadows: [17, -7], highlights: [13, -8] }),
}

const MODE_GRADES: Readonly<Record<Mode, ColourGrade>> = {
  fun: graded({ saturation: 1.18 }),
  normal: UNGRADED,
  spicy: graded({ contrast: 0.3, highlights: [-3, 3] }),
}

/** What becomes of a prompt that names nothing we know: looks that suit any video, and can be seen on any. */
const OPEN_LOOKS: readonly [LookName, ...LookName[]] = ['cinematic', 'vintage', 'dreamy', 'vivid', 'warm', 'cold']

/** What the prompt's words ask for, or nothing that can be seen where they ask for nothing that we know. */
export function namedLook(request: GenerationRequest): Look {
  const words = promptWords(request.prompt)
  const names = LOOK_NAMES.filter((name) => mentions(words, LOOK_WORDS[name]).count > 0)
  const colours = (Object.keys(COLOUR_WORDS) as ColourName[]).filter(
    (name) => mentions(words, COLOUR_WORDS[name]).count > 0,
  )
  const time = mostMentioned(words, TIME_WORDS)
  const weather = weatherOf(words)
  const light = [
    ...(time === undefined ? [] : [{ grade: TIME_GRADES[time] }]),
    ...(weather === undefined ? [] : [weather]),
  ]
  const looks = [
    ...names.map((name) => LOOKS[name]),
    ...colours.map((name) => ({ grade: tintGrade(NAMED_COLOURS[name]) })),
    // A night in black and white is dark, and not blue.
    ...(names.includes('monochrome') ? light.map(withoutTint) : light),
  ]
  const move = mostMentioned(words, CAMERA_WORDS) ?? (mentions(words, PAN_WORDS).count > 0 ? 'panRight' : 'static')
  return {
    ...looks.reduce<Look>(joinLooks, PLAIN),
    camera: move === 'static' ? undefined : move,
    title: titleOf(request.prompt),
  }
}

/** The look of an edit; something of it can always be seen. Equal requests give equal looks. */
export function chooseLook(request: GenerationRequest): Look {
  const named = namedLook(request)
  const isSeen = Object.entries(PLAIN).some(([part, plain]) => named[part as keyof Look] !== plain)
  const look = isSeen ? named : joinLooks(PLAIN, LOOKS[pick(seededRandom(hashText(request.prompt)), OPEN_LOOKS)])
  return { ...look, grade: joinGrades(look.grade, MODE_GRADES[request.mode]) }
}

function weatherOf(words: readonly string[]): Partial<Look> | undefined {
  const [rain, snow] = [mentions(words, SCENE_WORDS.rain).count, mentions(words, SCENE_WORDS.snow).count]
  if (rain === 0 && snow === 0) return undefined
  return rain >= snow ? { grade: RAIN_GRADE, weather: 'rain' } : { grade: SNOW_GRADE, weather: 'snow' }
}

function withoutTint(look: Partial<Look>): Partial<Look> {
  const { grade = UNGRADED } = look
  return { ...look, grade: { ...grade, shadows: [0, 0], highlights: [0, 0] } }
}

function joinLooks(first: Look, second: Partial<Look>): Look {
  return {
    ...first,
    ...second,
    grade: second.grade === undefined ? first.grade : joinGrades(first.grade, second.grade),
    glow: Math.max(first.glow, second.glow ?? 0),
    blur: Math.max(first.blur, second.blur ?? 0),
    vignette: Math.max(first.vignette, second.vignette ?? 0),
    grain: Math.max(first.grain, second.grain ?? 0),
  }
}

function graded(change: Partial<ColourGrade>): ColourGrade {
  return { ...UNGRADED, ...change }
}
