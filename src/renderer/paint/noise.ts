import { type Random, seededRandom } from '../storyboard/seeded-random.ts'

/** Smooth noise along a line: the same place gives the same value, −1 to 1. */
export type Noise = (position: number) => number

/** Lattice points before the noise repeats: far more than any ridge or wave visits. */
const LATTICE = 1024

/** Value noise with a smooth (C²) blend between lattice points. */
export function valueNoise(random: Random): Noise {
  const lattice = Float64Array.from({ length: LATTICE }, () => random() * 2 - 1)
  return (position) => {
    const cell = Math.floor(position)
    const within = position - cell
    const blend = within * within * within * (within * (within * 6 - 15) + 10)
    const from = lattice[cell & (LATTICE - 1)] ?? 0
    const to = lattice[(cell + 1) & (LATTICE - 1)] ?? 0
    return from + (to - from) * blend
  }
}

/** Several octaves of value noise, each twice as fine and `gain` times as high: hills, clouds, coast lines. −1 to 1. */
export function fractalNoise(random: Random, { octaves, gain }: { octaves: number; gain: number }): Noise {
  const layers = Array.from({ length: octaves }, () => valueNoise(seededRandom(Math.floor(random() * 2 ** 32))))
  return (position) => {
    let [sum, height, reach, frequency] = [0, 1, 0, 1]
    for (const layer of layers) {
      sum += layer(position * frequency) * height
      reach += height
      height *= gain
      frequency *= 2.03
    }
    return sum / reach
  }
}

/** Fractal noise folded at zero, so that it has sharp crests and round valleys as rock has. 0 (valley) to 1 (crest). */
export function ridgedNoise(random: Random, { octaves, gain }: { octaves: number; gain: number }): Noise {
  const layers = Array.from({ length: octaves }, () => valueNoise(seededRandom(Math.floor(random() * 2 ** 32))))
  return (position) => {
    let [sum, height, reach, frequency] = [0, 1, 0, 1]
    for (const layer of layers) {
      const crest = 1 - Math.abs(layer(position * frequency))
      sum += crest * crest * height
      reach += height
      height *= gain
      frequency *= 2.11
    }
    return sum / reach
  }
}

/** Smooth noise over a plane, several octaves, −1 to 1: clouds and nebulae. */
export function planeNoise(random: Random, octaves: number): (x: number, y: number) => number {
  const side = 64
  const lattice = Float64Array.from({ length: side * side }, () => random() * 2 - 1)
  const corner = (x: number, y: number) => lattice[((y & (side - 1)) * side) | (x & (side - 1))] ?? 0
  const single = (x: number, y: number) => {
    const [cellX, cellY] = [Math.floor(x), Math.floor(y)]
    const [u, v] = [smooth(x - cellX), smooth(y - cellY)]
    const upper = corner(cellX, cellY) * (1 - u) + corner(cellX + 1, cellY) * u
    const lower = corner(cellX, cellY + 1) * (1 - u) + corner(cellX + 1, cellY + 1) * u
    return upper * (1 - v) + lower * v
  }
  return (x, y) => {
    let [sum, height, reach] = [0, 1, 0]
    for (let octave = 0; octave < octaves; octave++) {
      // A shift for each octave, or the lattices line up and the noise shows its grid.
      sum += single(x * 2 ** octave + octave * 17.3, y * 2 ** octave + octave * 9.1) * height
      reach += height
      height *= 0.52
    }
    return sum / reach
  }
}

function smooth(within: number): number {
  return within * within * (3 - 2 * within)
}
