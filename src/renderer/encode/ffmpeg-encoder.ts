/** Encodes through an `ffmpeg` of the machine: raw frames by one pipe, raw samples by another. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import {
  type Encoder,
  type EncoderOptions,
  FRAMES_PER_SECOND,
  KEY_FRAME_INTERVAL,
  SAMPLE_RATE,
  SOUND_BITS_PER_SECOND,
  X264_LOOKAHEAD,
  X264_MACROBLOCK_TREE,
  X264_PRESET,
  X264_QUALITY,
  X264_THREADS,
} from './encoder.ts'

/** Characters of ffmpeg's complaints that are kept for the error's message. */
const COMPLAINT_LENGTH = 2_000
/** The file descriptor of ffmpeg that reads the sound; 0 reads the picture. */
const SOUND_PIPE = 3

/** Starts ffmpeg. A machine without it shows at the first `write`, which then throws. */
export async function openFfmpegEncoder(options: EncoderOptions, program = 'ffmpeg'): Promise<Encoder> {
  const child = spawn(program, ffmpegArguments(options), { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
  const picture = child.stdin
  const sound = child.stdio[SOUND_PIPE]
  if (picture === null || !(sound instanceof Writable)) throw new Error('The pipes to ffmpeg could not be opened.')
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-COMPLAINT_LENGTH)
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error('ffmpeg could not be started', { cause })))
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${code}: ${complaint}`)),
    )
  })
  // Whoever writes next, or finishes, meets the rejection; until then it must not end the process.
  ended.catch(() => undefined)
  // A broken pipe follows from ffmpeg's end, which says why; the pipe's own error says less.
  picture.on('error', () => undefined)
  sound.on('error', () => undefined)

  return {
    async write(planes, samples) {
      // Sound is not waited for: ffmpeg reads the inputs in turns of its own choosing, and waiting for both can be
      // waiting for ever. A clip's whole sound is at most 12 MB.
      sound.write(Buffer.from(samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength)))
      if (!picture.write(Buffer.from(planes))) await Promise.race([once(picture, 'drain'), ended])
    },
    async finish() {
      picture.end()
      sound.end()
      await ended
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended.catch(() => undefined)
    },
  }
}

function ffmpegArguments({ path, width, height }: EncoderOptions): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', `${FRAMES_PER_SECOND}`],
    ...['-color_range', 'tv', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-i', 'pipe:0'],
    ...['-f', 'f32le', '-ar', `${SAMPLE_RATE}`, '-ac', '2', '-i', `pipe:${SOUND_PIPE}`],
    ...['-c:v', 'libx264', '-preset', X264_PRESET, '-profile:v', 'high', '-crf', `${X264_QUALITY}`],
    ...[
      '-mbtree',
      X264_MACROBLOCK_TREE ? '1' : '0',
      '-rc-lookahead',
      `${X264_LOOKAHEAD}`,
      '-threads',
      `${X264_THREADS}`,
      '-g',
      `${KEY_FRAME_INTERVAL}`,
      '-pix_fmt',
      'yuv420p',
    ],
    ...['-color_range', 'tv', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-c:a', 'aac', '-b:a', `${SOUND_BITS_PER_SECOND}`, '-movflags', '+faststart', '-f', 'mp4', path],
  ]
}
