/**
 * How fast videos are changed and continued: frames a second of a whole render, decoding and drawing included, beside
 * those of the encoder alone on frames of the same clip that are ready, in one process and one run.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { frameSize, type GenerationRequest, pixelSize, type Resolution } from '../src/canonical/generation.ts'
import { newId } from '../src/canonical/ids.ts'
import { openEncoder } from '../src/renderer/encode/open-encoder.ts'
import { openFootage } from '../src/renderer/footage/open-footage.ts'
import { render } from '../src/renderer/render.ts'
import { type Measurement, ratio } from './support/measurement.ts'

/** A light change, one that draws over every frame, and one that softens every frame. */
const EDITS = ['warm vintage', 'at night in the rain', 'dreamy slow motion']
const EXTENSIONS = ['the camera moves on', 'it begins to snow']
/** Seconds of the source, and of what is added to it. */
const [SOURCE_SECONDS, ADDED_SECONDS] = [4, 4]
/** Both are timed in turns, and the best of each counts: what else the machine does then falls on neither. */
const ROUNDS = 2
/** Ready frames that the encoder-only run goes through again and again. */
const READY_FRAMES = 48

/** A whole render against encoding ready frames: the same target as for drawn scenes. */
const TARGET = 0.5

export async function benchExtend(): Promise<Measurement[]> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-bench-extend-'))
  try {
    return [...(await speedsAt('480p', directory)), ...(await speedsAt('720p', directory))]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function speedsAt(resolution: Resolution, directory: string): Promise<Measurement[]> {
  const source = join(directory, `source-${resolution}.mp4`)
  await render({
    request: {
      ...{ model: 'bench', operation: 'generate', prompt: 'city at night, neon, pan left', mode: 'normal', seed: 7 },
      ...{ durationSeconds: SOURCE_SECONDS, resolution, aspectRatio: '2:3', references: [] },
    },
    outputPath: source,
  })
  const edits = EDITS.map((prompt) => requestFor('edit', prompt, resolution))
  const extensions = EXTENSIONS.map((prompt) => requestFor('extend', prompt, resolution))
  return [
    await speedOf(`changing a video at ${resolution}`, edits, { source, directory }),
    await speedOf(`continuing a video at ${resolution}`, extensions, { source, directory }),
  ]
}

async function speedOf(
  name: string,
  requests: readonly GenerationRequest[],
  { source, directory }: { source: string; directory: string },
): Promise<Measurement> {
  let [frames, renderSeconds, encodeSeconds] = [0, 0, 0]
  for (const request of requests) {
    const [encodes, renders]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      const encoded = await timeEncodeOnly(request, source, join(directory, 'encode.mp4'))
      frames += round === 0 ? encoded.frames : 0
      encodes.push(encoded.seconds)
      const started = performance.now()
      await render({ request, referencePaths: [source], outputPath: join(directory, 'render.mp4') })
      renders.push((performance.now() - started) / 1_000)
    }
    encodeSeconds += Math.min(...encodes)
    renderSeconds += Math.min(...renders)
  }
  const [renderFps, encodeOnlyFps] = [frames / renderSeconds, frames / encodeSeconds]
  const detail = `${Math.round(renderFps)} frames/s; ${Math.round(encodeOnlyFps)} frames/s encoding alone`
  return ratio(name, renderFps / encodeOnlyFps, { target: TARGET, detail })
}

/** Encodes as many frames as the clip has: those around its middle, where an extension's seam is, there and back again. */
async function timeEncodeOnly(
  request: GenerationRequest,
  source: string,
  path: string,
): Promise<{ frames: number; seconds: number }> {
  await using footage = await openFootage({ request, referencePaths: [source] })
  const { width, height, framesTotal } = footage
  const ready: { readonly planes: Uint8Array; readonly sound: Float32Array }[] = []
  const from = Math.max(0, framesTotal / 2 - READY_FRAMES / 2)
  for (let frame = 0; frame < from + READY_FRAMES; frame++) {
    const planes = (await footage.draw(frame)).convert(new Uint8Array((width * height * 3) / 2))
    const sound = await footage.sound()
    if (frame >= from) ready.push({ planes, sound })
  }
  const started = performance.now()
  await using encoder = await openEncoder({ path, width, height })
  for (let frame = 0; frame < framesTotal; frame++) {
    // There and back again, so that no cut makes a frame harder to encode than a rendered one.
    const turn = frame % (READY_FRAMES * 2 - 2)
    const drawn = ready[turn < READY_FRAMES ? turn : READY_FRAMES * 2 - 2 - turn]
    if (drawn === undefined) throw new Error('No frame is ready.')
    await encoder.write(drawn.planes, drawn.sound)
  }
  await encoder.finish()
  return { frames: framesTotal, seconds: (performance.now() - started) / 1_000 }
}

function requestFor(operation: 'edit' | 'extend', prompt: string, resolution: Resolution): GenerationRequest {
  const request: GenerationRequest = {
    ...{ model: 'bench', operation, prompt, resolution, aspectRatio: 'source', mode: 'normal', seed: 7 },
    durationSeconds: operation === 'edit' ? SOURCE_SECONDS : ADDED_SECONDS,
    references: [
      {
        ...{ role: 'source', fileId: newId('file'), kind: 'video', mimeType: 'video/mp4', sizeBytes: 1, sha256: '00' },
        ...{ storeKey: 'source.mp4', ...pixelSize(resolution, '2:3'), durationSeconds: SOURCE_SECONDS },
      },
    ],
  }
  const { width, height } = frameSize(request)
  if (Math.min(width, height) !== Number.parseInt(resolution, 10)) throw new Error(`The clip is ${width} × ${height}.`)
  return request
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(await benchExtend(), undefined, 2))
}
