/**
 * `npm run bench [-- PART …] [--write] [--against DIRECTORY]`: measures ratios in one run and prints them; `--write` puts the
 * table into docs/benchmarks.md. A ratio below its target is shown as missed and ends the run with status 1. With
 * `--against`, each part is measured in turn here and in another checkout, and the two are compared (`compare.ts`).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { benchCreates } from './creates.ts'
import { benchDownload } from './download.ts'
import { benchExtend } from './extend.ts'
import { benchPolling } from './polling.ts'
import { benchQueue } from './queue.ts'
import { benchReads } from './reads.ts'
import { benchRender } from './render.ts'
import { benchStartup } from './startup.ts'
import { type Measurement, ratio } from './support/measurement.ts'
import { benchUpload } from './upload.ts'
import { benchWarp } from './warp.ts'

const PARTS: Readonly<Record<string, () => Promise<Measurement[]>>> = {
  creates: benchCreates,
  reads: benchReads,
  render: renderMeasurements,
  warp: benchWarp,
  extend: benchExtend,
  queue: benchQueue,
  polling: benchPolling,
  startup: benchStartup,
  upload: benchUpload,
  download: benchDownload,
}

const DOCUMENT = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
const [TABLE_BEGINS, TABLE_ENDS] = ['<!-- table -->', '<!-- /table -->']

/** The renderer's target, against encoding ready frames with the same encoder. */
const RENDER_TARGET = 0.5

async function renderMeasurements(): Promise<Measurement[]> {
  const { secondsToFinished6s480p, ...bySize } = await benchRender()
  const ratios = Object.entries(bySize).map(([size, speed]) => {
    const detail = `${Math.round(speed.renderFps)} frames/s; ${Math.round(speed.encodeOnlyFps)} frames/s encoding alone`
    return ratio(`rendering at ${size}`, speed.ratio, { target: RENDER_TARGET, detail })
  })
  const { cold, warm } = secondsToFinished6s480p
  return [
    ...ratios,
    {
      name: 'a finished 6 s clip at 480p',
      value: `${warm.toFixed(1)} s`,
      detail: `${cold.toFixed(1)} s with a cold renderer`,
    },
  ]
}

function markdown(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, value, target = '', met, detail }) => {
    return `| ${name} | ${value} | ${target}${met === false ? ' **missed**' : ''} | ${detail} |`
  })
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GB, Node ${process.versions.node}`
  return ['| what | measured | target | of what |', '|---|---|---|---|', ...rows, '', `Machine: ${machine}.`].join('\n')
}

async function measure(names: readonly string[]): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const name of names) {
    console.error(`measuring ${name} …`)
    measurements.push(...((await PARTS[name]?.()) ?? []))
  }
  return measurements
}

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' }, against: { type: 'string' } },
  allowPositionals: true,
})
const unknown = positionals.find((name) => PARTS[name] === undefined)
if (unknown !== undefined) throw new Error(`there is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}`)
const names = Object.keys(PARTS).filter((name) => positionals.length === 0 || positionals.includes(name))

if (values.against !== undefined) {
  process.exitCode = (await compare(names, values.against)) ? 0 : 1
} else {
  const measurements = await measure(names)
  console.log(markdown(measurements))
  if (values.write === true) {
    const text = await readFile(DOCUMENT, 'utf8')
    const [before = '', after = ''] = [text.split(TABLE_BEGINS)[0], text.split(TABLE_ENDS)[1]]
    await writeFile(DOCUMENT, `${before}${TABLE_BEGINS}\n${markdown(measurements)}\n${TABLE_ENDS}${after}`)
  }
  process.exitCode = measurements.some((each) => each.met === false) ? 1 : 0
}
