/**
 * Compares this checkout with another one, part by part: each part is measured in both in turn, so that what else the machine
 * does at that time slows both alike, and each figure is the best of its rounds. Reads the table that `npm run bench` prints.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('..', import.meta.url))

/** Rounds of each part in each checkout. */
const ROUNDS = 2

/** A figure is no worse if it is at least this part of what it is in the other checkout. */
const LEAST = 0.9

/** Figures of these units are better when they are lower; the others are rates and ratios. */
const LOWER_IS_BETTER = ['s', 'ms', 'MB']

interface Figure {
  readonly value: number
  readonly unit: string
}

/** Prints how each figure compares. True if none is worse. */
export async function compare(parts: readonly string[], other: string): Promise<boolean> {
  let isWorse = false
  console.log('| what | there | here | here : there |\n|---|---|---|---|')
  for (const part of parts) {
    const [there, here] = [new Map<string, Figure>(), new Map<string, Figure>()]
    for (let round = 0; round < ROUNDS; round++) {
      for (const [checkout, best] of [
        [other, there],
        [HERE, here],
      ] as const) {
        for (const [name, figure] of figuresOf(await run(checkout, part))) keepBetter(best, name, figure)
      }
    }
    for (const [name, before] of there) {
      const now = here.get(name)
      if (now === undefined) continue
      const share = LOWER_IS_BETTER.includes(before.unit) ? before.value / now.value : now.value / before.value
      isWorse ||= share < LEAST
      const verdict = `${share.toFixed(2)}${share < LEAST ? ' **worse**' : ''}`
      console.log(`| ${name} | ${before.value} ${before.unit} | ${now.value} ${now.unit} | ${verdict} |`)
    }
  }
  return !isWorse
}

async function run(checkout: string, part: string): Promise<string> {
  console.error(`measuring ${part} in ${checkout} …`)
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', part], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

/** The rows of a table whose second cell begins with a number. */
function figuresOf(table: string): [name: string, figure: Figure][] {
  return table.split('\n').flatMap((line) => {
    const [, name, cell] = line.split('|').map((text) => text.trim())
    const found = /^([+-]?[\d.]+) ?(\S*)$/.exec(cell ?? '')
    if (name === undefined || found === null) return []
    return [[name, { value: Number(found[1]), unit: found[2] ?? '' }]]
  })
}

function keepBetter(best: Map<string, Figure>, name: string, figure: Figure): void {
  const known = best.get(name)
  const sign = LOWER_IS_BETTER.includes(figure.unit) ? -1 : 1
  if (known === undefined || sign * figure.value > sign * known.value) best.set(name, figure)
}
