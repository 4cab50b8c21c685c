/**
 * How fast clips are made from a picture: frames a second of a whole render and of the depth warp by itself, beside those
 * of the encoder alone on frames that the warp made, in one process and one run; and the most memory that the renderer's
 * process takes for a clip from a large photograph.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { type GenerationRequest, RESOLUTIONS, type Resolution } from '../src/canonical/generation.ts'
import { newId } from '../src/canonical/ids.ts'
import { SAMPLES_PER_FRAME } from '../src/renderer/encode/encoder.ts'
import { openEncoder } from '../src/renderer/encode/open-encoder.ts'
import type { FootageOrder } from '../src/renderer/footage/footage.ts'
import { openFootage } from '../src/renderer/footage/open-footage.ts'
import { render } from '../src/renderer/render.ts'
import { type Measurement, ratio } from './support/measurement.ts'

/** 20 megapixels, as cameras and telephones make them. */
const PHOTOGRAPH = { width: 5_472, height: 3_648 }
const SECONDS = 4
/** All are timed in turns, and the best of each counts: what else the machine does then falls on none. */
const ROUNDS = 3
/** A whole render against encoding ready frames: the same target as for drawn scenes. */
const TARGET = 0.5

export async function benchWarp(): Promise<Measurement[]> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-bench-warp-'))
  try {
    const photograph = await makePhotograph(join(directory, 'photograph.jpg'))
    // The first clip of a process pays for loading FFmpeg and compiling; it is not counted.
    await timeRender(orderFor(photograph, '480p'), join(directory, 'warm-up.mp4'))
    const measured: Measurement[] = []
    for (const resolution of ['480p', '720p'] as const) measured.push(await speedAt(photograph, resolution, directory))
    for (const resolution of ['480p', '1080p'] as const) {
      const bytes = await peakMemory(photograph, resolution)
      const detail = `peak of one process, a ${SECONDS} s clip at 16:9 from a photograph of 20 megapixels`
      measured.push({ name: `memory to move a picture at ${resolution}`, value: `${megabytes(bytes)} MB`, detail })
    }
    return measured
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Soft shapes of every size under grain: neither as easy to encode as a drawing nor as hard as noise. */
async function makePhotograph(path: string): Promise<string> {
  const { width, height } = PHOTOGRAPH
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  const coarse = sharp({ create: { width: 48, height: 32, channels: 3, background: '#808080', noise } })
  const fine = sharp({ create: { width: 684, height: 456, channels: 3, background: '#808080', noise } })
  const grain = await fine.resize(width, height).png().toBuffer()
  const shapes = await coarse.resize(width, height, { kernel: 'cubic' }).png().toBuffer()
  await sharp(shapes)
    .composite([{ input: grain, blend: 'soft-light' }])
    .jpeg({ quality: 90 })
    .toFile(path)
  return path
}

async function speedAt(photograph: string, resolution: Resolution, directory: string): Promise<Measurement> {
  const order = orderFor(photograph, resolution)
  const [warps, encodes, renders]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, ready, size } = await timeWarp(order)
    warps.push(seconds)
    encodes.push(await timeEncodeOnly(ready, { ...size, path: join(directory, 'encode.mp4') }))
    renders.push(await timeRender(order, join(directory, 'render.mp4')))
  }
  const perSecond = (seconds: readonly number[]) => (SECONDS * 24) / Math.min(...seconds)
  const [warpFps, encodeFps, renderFps] = [perSecond(warps), perSecond(encodes), perSecond(renders)]
  const detail = `${Math.round(renderFps)} frames/s; the warp alone ${Math.round(warpFps)}, encoding alone ${Math.round(encodeFps)}`
  return ratio(`moving a picture at ${resolution}`, renderFps / encodeFps, { target: TARGET, detail })
}

/** Seconds for all frames of a clip, without reading the picture, and the frames. */
async function timeWarp(order: FootageOrder) {
  await using footage = await openFootage(order)
  const { width, height, framesTotal } = footage
  const ready = Array.from({ length: framesTotal }, () => new Uint8Array((width * height * 3) / 2))
  const started = performance.now()
  for (const [frame, planes] of ready.entries()) (await footage.draw(frame)).convert(planes)
  return { seconds: (performance.now() - started) / 1_000, ready, size: { width, height } }
}

async function timeEncodeOnly(
  ready: readonly Uint8Array[],
  options: { path: string; width: number; height: number },
): Promise<number> {
  const silence = new Float32Array(SAMPLES_PER_FRAME * 2)
  const started = performance.now()
  await using encoder = await openEncoder(options)
  for (const planes of ready) await encoder.write(planes, silence)
  await encoder.finish()
  return (performance.now() - started) / 1_000
}

async function timeRender(order: FootageOrder, outputPath: string): Promise<number> {
  const started = performance.now()
  await render({ ...order, outputPath })
  return (performance.now() - started) / 1_000
}

/** Bytes that a process of its own took at most, this module run with the picture as its argument. */
async function peakMemory(photograph: string, resolution: Resolution): Promise<number> {
  const module = fileURLToPath(import.meta.url)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', module, photograph, resolution])
  return Number(stdout)
}

/** Looked at again and again: what the system calls the peak of a process may be that of the one which started it. */
async function renderAlone(photograph: string, resolution: Resolution): Promise<number> {
  let peak = 0
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 5)
  await render({ ...orderFor(photograph, resolution), outputPath: `${photograph}.mp4`, onProgress: look })
  clearInterval(timer)
  return peak
}

function orderFor(photograph: string, resolution: Resolution): FootageOrder {
  const request: GenerationRequest = {
    model: 'bench',
    operation: 'generate',
    prompt: 'drift',
    durationSeconds: SECONDS,
    resolution,
    aspectRatio: '16:9',
    mode: 'normal',
    seed: 7,
    references: [
      {
        role: 'firstFrame',
        fileId: newId('file'),
        kind: 'image',
        mimeType: 'image/jpeg',
        sizeBytes: 1,
        sha256: '',
        storeKey: '',
        ...PHOTOGRAPH,
      },
    ],
  }
  return { request, referencePaths: [photograph] }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [photograph, asked] = process.argv.slice(2)
  const resolution = RESOLUTIONS.find((each) => each === asked)
  if (photograph === undefined || resolution === undefined) console.log(JSON.stringify(await benchWarp(), undefined, 2))
  else console.log(await renderAlone(photograph, resolution))
}
