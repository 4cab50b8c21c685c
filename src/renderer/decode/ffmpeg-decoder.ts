/** Decodes through an `ffmpeg` of the machine: one process for raw pictures, one for raw samples. */
import { spawn } from 'node:child_process'
import { FRAMES_PER_SECOND, SAMPLES_PER_FRAME } from '../encode/encoder.ts'
import { type Ahead, decodeAhead } from './decode-ahead.ts'
import {
  type Decoder,
  type DecoderOptions,
  PICTURES_AHEAD,
  READABLE_FORMATS,
  READABLE_PROTOCOLS,
  SOUND_FILTER,
} from './decoder.ts'
import { lastAgain } from './last-again.ts'

/** Characters of ffmpeg's complaints that are kept for the error's message. */
const COMPLAINT_LENGTH = 2_000
/** Bytes of a sample of both channels, as `f32le`. */
const SAMPLE_BYTES = 8
/** What ffmpeg says of a file without sound, which is then silent. */
const NO_SOUND = 'matches no streams'

/** Starts ffmpeg. A machine without it shows at the first call, which then throws. */
export async function openFfmpegDecoder(options: DecoderOptions, program = 'ffmpeg'): Promise<Decoder> {
  const pictureBytes = (options.width * options.height * 3) / 2
  const pictures = decodeAhead(run(program, pictureArguments(options), pictureBytes), PICTURES_AHEAD)
  const sound = decodeAhead(run(program, soundArguments(options), SAMPLES_PER_FRAME * SAMPLE_BYTES), PICTURES_AHEAD)
  return {
    nextPicture: lastAgain(pictures),
    nextSound: () => nextShare(sound),
    async [Symbol.asyncDispose]() {
      await Promise.all([pictures[Symbol.asyncDispose](), sound[Symbol.asyncDispose]()])
    },
  }
}

async function nextShare(sound: Ahead<Uint8Array>): Promise<Float32Array> {
  const share = new Float32Array(SAMPLES_PER_FRAME * 2)
  const bytes = await sound.next()
  if (bytes !== undefined) new Uint8Array(share.buffer).set(bytes)
  return share
}

/** What a program writes, in pieces of the given length; the last may be shorter. Ended before its end, it is killed. */
async function* run(program: string, parameters: readonly string[], length: number): AsyncGenerator<Uint8Array> {
  const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-COMPLAINT_LENGTH)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error('ffmpeg could not be started', { cause })))
    child.once('close', resolve)
  })
  // Whoever waits for it below meets the rejection; until then it must not end the process.
  ended.catch(() => undefined)
  try {
    let [piece, filled] = [new Uint8Array(length), 0]
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + length - filled)
        piece.set(part, filled)
        filled += part.length
        at += part.length
        if (filled < length) continue
        yield piece
        ;[piece, filled] = [new Uint8Array(length), 0]
      }
    }
    if (filled > 0) yield piece
    const code = await ended
    if (code !== 0 && !complaint.includes(NO_SOUND)) throw new Error(`ffmpeg ended with ${code}: ${complaint}`)
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended.catch(() => undefined)
  }
}

function inputArguments(path: string): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
    ...[
      '-protocol_whitelist',
      `${READABLE_PROTOCOLS},pipe`,
      '-format_whitelist',
      READABLE_FORMATS,
      '-i',
      `file:${path}`,
    ],
  ]
}

function pictureArguments({ path, width, height }: DecoderOptions): string[] {
  // ffmpeg turns the picture upright by itself. The same choice of frames as in `node-av-decoder.ts`: the nearest.
  const filters = [
    `fps=${FRAMES_PER_SECOND}:round=near:start_time=0`,
    `scale=${width}:${height}:flags=bicubic:out_color_matrix=bt709:out_range=tv`,
    'format=yuv420p',
  ]
  return [...inputArguments(path), '-map', '0:v:0', '-vf', filters.join(','), '-f', 'rawvideo', 'pipe:1']
}

function soundArguments({ path }: DecoderOptions): string[] {
  return [...inputArguments(path), '-map', '0:a:0', '-af', SOUND_FILTER, '-f', 'f32le', 'pipe:1']
}
