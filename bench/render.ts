/**
 * How fast clips are made: frames a second of a whole render, beside those of the encoder alone on frames that are
 * ready, in one process and one run; and seconds from asking the pool to the finished file, cold and warm.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { GenerationRequest, Resolution } from '../src/canonical/generation.ts'
import { SAMPLES_PER_FRAME } from '../src/renderer/encode/encoder.ts'
import { openEncoder } from '../src/renderer/encode/open-encoder.ts'
import { createPicture } from '../src/renderer/picture.ts'
import { render } from '../src/renderer/render.ts'
import { RenderPool } from '../src/renderer/render-pool.ts'
import { createAmbience } from '../src/renderer/sound/ambience.ts'
import { storyboard } from '../src/renderer/storyboard/storyboard.ts'

/** Each of these is measured, and the figures are the sums: one light scene, and heavy ones. */
const PROMPTS = ['mountains at sunset', 'A cinematic product reveal with smooth camera movement', 'city at night, neon']
/** Both are timed in turns, and the best of each counts: what else the machine does then falls on neither. */
const ROUNDS = 2
/** Ready frames that the encoder-only run goes through again and again. */
const READY_FRAMES = 48

export interface RenderSpeed {
  readonly renderFps: number
  readonly encodeOnlyFps: number
  /** Rendering as a share of encoding alone; 1 would mean that drawing costs nothing. */
  readonly ratio: number
}

export interface RenderBench {
  readonly '480p': RenderSpeed
  readonly '720p': RenderSpeed
  /** Seconds from `start` to `done` of a 6 s clip at 480p, 2:3. */
  readonly secondsToFinished6s480p: { readonly cold: number; readonly warm: number }
}

export async function benchRender(): Promise<RenderBench> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-bench-render-'))
  try {
    // The first clip of a process pays for loading FFmpeg and compiling; it is not counted.
    await timeRender(requestFor('warm up', '480p', 1), join(directory, 'warm-up.mp4'))
    return {
      '480p': await speedAt('480p', directory),
      '720p': await speedAt('720p', directory),
      secondsToFinished6s480p: await timePool(directory),
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function speedAt(resolution: Resolution, directory: string): Promise<RenderSpeed> {
  let [frames, renderSeconds, encodeSeconds] = [0, 0, 0]
  for (const prompt of PROMPTS) {
    const request = requestFor(prompt, resolution, 4)
    const [encodes, renders]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      encodes.push(await timeEncodeOnly(request, join(directory, 'encode.mp4')))
      renders.push(await timeRender(request, join(directory, 'render.mp4')))
    }
    encodeSeconds += Math.min(...encodes)
    renderSeconds += Math.min(...renders)
    frames += request.durationSeconds * 24
  }
  const [renderFps, encodeOnlyFps] = [frames / renderSeconds, frames / encodeSeconds]
  return { renderFps: round(renderFps), encodeOnlyFps: round(encodeOnlyFps), ratio: round(renderFps / encodeOnlyFps) }
}

async function timeRender(request: GenerationRequest, outputPath: string): Promise<number> {
  const started = performance.now()
  await render({ request, outputPath })
  return (performance.now() - started) / 1_000
}

async function timeEncodeOnly(request: GenerationRequest, path: string): Promise<number> {
  const board = storyboard(request)
  const picture = createPicture(request, board)
  const ambience = createAmbience(board, request.durationSeconds)
  const ready = Array.from({ length: READY_FRAMES }, (_, frame) => picture.planes(frame).slice())
  const sounds = Array.from({ length: READY_FRAMES }, () => ambience.next(SAMPLES_PER_FRAME))
  const started = performance.now()
  await using encoder = await openEncoder({ path, width: picture.width, height: picture.height })
  for (let frame = 0; frame < picture.framesTotal; frame++) {
    // There and back again, so that no cut makes a frame harder to encode than a rendered one.
    const turn = frame % (READY_FRAMES * 2 - 2)
    const at = turn < READY_FRAMES ? turn : READY_FRAMES * 2 - 2 - turn
    const [planes, sound] = [ready[at], sounds[at]]
    if (planes === undefined || sound === undefined) throw new Error('No frame is ready.')
    await encoder.write(planes, sound)
  }
  await encoder.finish()
  return (performance.now() - started) / 1_000
}

async function timePool(directory: string): Promise<{ cold: number; warm: number }> {
  await using pool = new RenderPool({ concurrency: 1 })
  const seconds: number[] = []
  for (const id of ['cold', 'warm']) {
    const started = performance.now()
    pool.start({ id, request: requestFor('waves at sunset', '480p', 6), outputPath: join(directory, `${id}.mp4`) })
    while (pool.state(id)?.kind !== 'done') {
      const state = pool.state(id)
      if (state?.kind === 'crashed') throw new Error(`The render crashed: ${state.cause}`)
      await sleep(10)
    }
    seconds.push(round((performance.now() - started) / 1_000))
  }
  return { cold: seconds[0] ?? Number.NaN, warm: seconds[1] ?? Number.NaN }
}

function requestFor(prompt: string, resolution: Resolution, durationSeconds: number): GenerationRequest {
  return {
    model: 'bench',
    operation: 'generate',
    references: [],
    prompt,
    durationSeconds,
    resolution,
    aspectRatio: '2:3',
    mode: 'normal',
    seed: 7,
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(await benchRender(), undefined, 2))
}
