/**
 * The sounds that ambiences are mixed from. Each voice is a function of its own state alone, sample by sample, left and
 * right told apart a little, so that the room is wide; none is louder than about 1.
 */
import { SAMPLE_RATE } from '../encode/encoder.ts'
import type { Random } from '../storyboard/seeded-random.ts'

/** Writes its next sample into `out`: left at 0, right at 1. `seconds` is the time of the sample. */
export type Voice = (seconds: number, out: Float64Array) => void

const TURN = Math.PI * 2

/**
 * White noise through two one-pole low-passes: the breath under wind, waves and rain. `hertz` may move; it is looked at
 * every CONTROL_SAMPLES, for the exponential costs more than all the rest.
 */
function softNoise(random: Random): (hertz: number) => number {
  // In a typed array: a number that a closure changes would be allocated anew for each sample.
  const filter = new Float64Array(2)
  let share = 0
  let level = 0
  let wait = 0
  return (hertz) => {
    if (wait === 0) {
      share = 1 - Math.exp((-TURN * hertz) / SAMPLE_RATE)
      // A narrow band is quieter than a wide one: brought back to about one loudness.
      level = 1 / Math.sqrt(share + 0.002)
      wait = CONTROL_SAMPLES
    }
    wait -= 1
    const first = (filter[0] as number) + share * (random() * 2 - 1 - (filter[0] as number))
    const second = (filter[1] as number) + share * (first - (filter[1] as number))
    filter[0] = first
    filter[1] = second
    return second * level
  }
}

/** Samples between two looks at what moves slowly: under 3 ms, too short to be heard as a step. */
const CONTROL_SAMPLES = 128

/** A value that moves slowly, asked every CONTROL_SAMPLES and led in a straight line between. */
function controlled(value: (seconds: number) => number): (seconds: number) => number {
  let [now, step, wait] = [Number.NaN, 0, 0]
  return (seconds) => {
    if (wait === 0) {
      if (Number.isNaN(now)) now = value(seconds)
      step = (value(seconds + CONTROL_SAMPLES / SAMPLE_RATE) - now) / CONTROL_SAMPLES
      wait = CONTROL_SAMPLES
    }
    wait -= 1
    now += step
    return now
  }
}

/** A sine told by turning a vector, one complex product for each sample, instead of by a call of `Math.sin`. */
function tone(hertz: number, phase: number): () => number {
  const [turnCos, turnSin] = [Math.cos((TURN * hertz) / SAMPLE_RATE), Math.sin((TURN * hertz) / SAMPLE_RATE)]
  const vector = Float64Array.of(Math.cos(phase), Math.sin(phase))
  return () => {
    const cos = vector[0] as number
    const sin = vector[1] as number
    vector[0] = cos * turnCos - sin * turnSin
    const next = cos * turnSin + sin * turnCos
    vector[1] = next
    return next
  }
}

/** A slow wave between 0 and 1 that does not repeat within a clip: two sines whose periods never meet. */
function slow(seconds: number, { period, phase }: { period: number; phase: number }): number {
  return (
    0.5 +
    0.25 * Math.sin((seconds / period) * TURN + phase) +
    0.25 * Math.sin((seconds / (period * 0.618)) * TURN + phase * 2)
  )
}

/** Wind that swells and sinks, brighter as it rises. `hertz` is its middle. */
export function wind(random: Random, hertz: number): Voice {
  const [left, right] = [softNoise(random), softNoise(random)]
  const phase = random() * TURN
  const gusts = controlled((seconds) => slow(seconds, { period: 5.3, phase }))
  return (seconds, out) => {
    const gust = gusts(seconds)
    out[0] = left(hertz * (0.5 + gust)) * (0.25 + 0.6 * gust)
    out[1] = right(hertz * (0.6 + 0.8 * gust)) * (0.25 + 0.6 * gust)
  }
}

/** Waves: each draws up slowly, breaks brightly, and runs out hissing. */
export function waves(random: Random): Voice {
  const [body, hissLeft, hissRight] = [softNoise(random), softNoise(random), softNoise(random)]
  const phase = random()
  const swells = controlled((seconds) => {
    const way = (seconds / 5.2 + phase) % 1
    return way < 0.35 ? (way / 0.35) ** 2 : Math.exp(-(way - 0.35) * 4.2)
  })
  return (seconds, out) => {
    const swell = swells(seconds)
    const low = body(240 + 500 * swell) * (0.3 + 0.5 * swell)
    out[0] = low + hissLeft(3800) * swell * 0.34
    out[1] = low * 0.9 + hissRight(3400) * swell * 0.34
  }
}

/** Rain: a steady hiss, a lower patter, and single drops nearby. */
export function rainSound(random: Random): Voice {
  const [left, right, patter] = [softNoise(random), softNoise(random), softNoise(random)]
  let [ring, pan] = [0, 0.5]
  let drip = tone(1000, 0)
  return (_, out) => {
    if (random() < 26 / SAMPLE_RATE) {
      ring = 0.4 + 0.5 * random()
      pan = random()
      drip = tone(900 + 2600 * random(), 0)
    }
    ring *= 0.9975
    const drop = drip() * ring * 0.22
    const low = patter(620) * 0.3
    out[0] = left(5200) * 0.4 + low + drop * (1 - pan)
    out[1] = right(5200) * 0.4 + low + drop * pan
  }
}

/** A city from above: a low hum of traffic, and cars that pass from side to side. */
export function cityHum(random: Random): Voice {
  const [hum, left, right] = [softNoise(random), softNoise(random), softNoise(random)]
  const phase = random() * TURN
  const mains = tone(55, 0)
  const passes = controlled((seconds) => slow(seconds, { period: 4.1, phase }) ** 3)
  const sides = controlled((seconds) => 0.5 + 0.5 * Math.sin((seconds / 4.1) * TURN))
  return (seconds, out) => {
    const low = hum(110) * 0.55 + mains() * 0.05
    const pass = passes(seconds)
    const side = sides(seconds)
    out[0] = low + left(900) * pass * 0.5 * (1 - side)
    out[1] = low + right(900) * pass * 0.5 * side
  }
}

/** A chord of soft, slightly detuned tones that fade in and out by turns. `hertz` lists its notes. */
export function pad(random: Random, hertz: readonly number[]): Voice {
  const notes = hertz.map((pitch, index) => {
    const phase = random() * TURN
    const period = 3.7 + 1.3 * index + random()
    return {
      swell: controlled((seconds) => slow(seconds, { period, phase })),
      left: tone(pitch, phase),
      right: tone(pitch * 1.0021, phase + 0.8),
      overtone: tone(pitch * 2.002, 1),
    }
  })
  return (seconds, out) => {
    let left = 0
    let right = 0
    for (const note of notes) {
      const swell = note.swell(seconds)
      const over = note.overtone() * 0.28
      left += (note.left() + over) * swell
      right += (note.right() + over) * swell
    }
    out[0] = (left / notes.length) * 0.55
    out[1] = (right / notes.length) * 0.55
  }
}

/** Bells far apart, on the notes of a scale, each ringing out: space, glass, snow. */
export function chimes(random: Random, hertz: readonly number[], everySeconds: number): Voice {
  let [since, pan, wait] = [9, 0.5, SAMPLE_RATE * 0.5]
  let [strike, shimmer] = [tone(440, 0), tone(440, 0)]
  return (_, out) => {
    wait -= 1
    since += 1 / SAMPLE_RATE
    if (wait <= 0) {
      const pitch = hertz[Math.floor(random() * hertz.length)] ?? 440
      strike = tone(pitch, 0)
      // A bell's second partial: out of tune with the first, and sooner gone.
      shimmer = tone(pitch * 2.76, 0)
      since = 0
      pan = 0.2 + 0.6 * random()
      wait = SAMPLE_RATE * everySeconds * (0.6 + 0.8 * random())
    }
    const open = 1 / (1 + since * 2.4)
    const decay = open * open * open * Math.min(1, since * 200)
    const bell = (strike() + 0.4 * shimmer() * decay) * decay * 0.4
    out[0] = bell * (1 - pan)
    out[1] = bell * pan
  }
}

/** Birds by day or crickets by night: short phrases of chirps, with silence between. */
export function chirps(random: Random, { hertz, everySeconds }: { hertz: number; everySeconds: number }): Voice {
  let [since, wait, pitch, pan, notes] = [9, SAMPLE_RATE * 0.4, hertz, 0.5, 3]
  let turn = 0
  return (_, out) => {
    wait -= 1
    since += 1 / SAMPLE_RATE
    if (wait <= 0) {
      since = 0
      pitch = hertz * (0.8 + 0.5 * random())
      pan = random()
      notes = 2 + Math.floor(random() * 4)
      wait = SAMPLE_RATE * everySeconds * (0.5 + random())
    }
    const note = since / 0.11
    const within = note - Math.floor(note)
    const open = note < notes ? Math.sin(Math.PI * within) ** 2 : 0
    if (open === 0) {
      out[0] = out[1] = 0
      return
    }
    turn += ((pitch * (1 + 0.12 * Math.sin(within * 5 + Math.floor(note)))) / SAMPLE_RATE) * TURN
    const chirp = Math.sin(turn) * open * 0.3
    out[0] = chirp * (1 - 0.8 * pan)
    out[1] = chirp * (0.2 + 0.8 * pan)
  }
}
