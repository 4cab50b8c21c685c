/** Decodes through node-av: FFmpeg's libraries inside this process, with decoding and scaling on their own threads. */
import { FRAMES_PER_SECOND, SAMPLES_PER_FRAME } from '../encode/encoder.ts'
import type { NodeAv } from '../encode/node-av-encoder.ts'
import { decodeAhead } from './decode-ahead.ts'
import { type Decoder, type DecoderOptions, PICTURES_AHEAD, SOUND_FILTER } from './decoder.ts'
import { lastAgain } from './last-again.ts'
import { openTrack, type Track } from './node-av-track.ts'
import { turnsOf } from './turns.ts'

type Frame = InstanceType<NodeAv['Frame']>
type Filter = ReturnType<NodeAv['FilterAPI']['create']>

/** Height in pixels from which a video that does not say its colour matrix is BT.709; the convention of players. */
const HIGH_DEFINITION = 720

export async function openNodeAvDecoder(av: NodeAv, options: DecoderOptions): Promise<Decoder> {
  const sound = await openSound(av, options.path)
  const pictures = decodeAhead(readPictures(av, options), PICTURES_AHEAD)
  return {
    nextPicture: lastAgain(pictures),
    nextSound: async () => sound.next(),
    async [Symbol.asyncDispose]() {
      sound.close()
      await pictures[Symbol.asyncDispose]()
    },
  }
}

/** The pictures at 24 per second: for each, the frame whose time is nearest, and none is scaled that is not seen. */
async function* readPictures(av: NodeAv, options: DecoderOptions): AsyncGenerator<Uint8Array> {
  const track = await openTrack(av, options.path, 'picture')
  if (track === undefined) return
  const scaler = createScaler(av, options)
  let seen: Frame | undefined
  try {
    let [given, seconds] = [0, 0]
    for (let frame = await track.next(); frame !== undefined; frame = await track.next()) {
      seconds = track.secondsOf(frame) ?? seconds + 1 / FRAMES_PER_SECOND
      const due = Math.round(seconds * FRAMES_PER_SECOND)
      if (seen !== undefined && given < due) {
        const planes = await scaler.scale(seen)
        for (; given < due; given++) yield planes
      }
      seen?.free()
      seen = frame
    }
    if (seen !== undefined) yield await scaler.scale(seen)
  } finally {
    seen?.free()
    scaler.close()
    track.close()
  }
}

/** Built from the first frame, which knows its matrix and its rotation; it builds itself anew when the size changes. */
function createScaler(av: NodeAv, { width, height }: DecoderOptions) {
  let filter: Filter | undefined
  return {
    async scale(frame: Frame): Promise<Uint8Array> {
      if (frame.colorSpace === av.AVCOL_SPC_UNSPECIFIED) {
        frame.colorSpace = frame.height >= HIGH_DEFINITION ? av.AVCOL_SPC_BT709 : av.AVCOL_SPC_SMPTE170M
      }
      filter ??= createPictureFilter(av, { width, height, matrix: frame.getSideData(av.AV_FRAME_DATA_DISPLAYMATRIX) })
      const [scaled, ...others] = await filter.processAll(frame)
      for (const other of others) other.free()
      if (scaled === undefined) throw new Error('The picture could not be scaled.')
      try {
        return scaled.toBuffer()
      } finally {
        scaled.free()
      }
    },
    close: () => filter?.close(),
  }
}

function createPictureFilter(
  av: NodeAv,
  { width, height, matrix }: { width: number; height: number; matrix: Buffer | null },
): Filter {
  const { filters, isAcross } = turnsOf(matrix)
  const [across, down] = isAcross ? [height, width] : [width, height]
  const scale = `scale=${across}:${down}:flags=bicubic:out_color_matrix=bt709:out_range=tv`
  return av.FilterAPI.create([scale, 'format=yuv420p', ...filters].join(','), { threads: 1 })
}

/** The sound as shares of a frame; silence for a file without, and after its end. */
async function openSound(av: NodeAv, path: string): Promise<{ next(): Float32Array; close(): void }> {
  const track = await openTrack(av, path, 'sound')
  if (track === undefined) return { next: () => new Float32Array(SHARE), close: () => undefined }
  const filter = av.FilterAPI.create(SOUND_FILTER)
  let waiting = new Float32Array(0)
  let ended = false
  return {
    next() {
      while (waiting.length < SHARE && !ended) {
        const frame = track.nextSync()
        ended = frame === undefined
        waiting = joined(waiting, resample(frame, { filter, track, av }))
      }
      const share = new Float32Array(SHARE)
      share.set(waiting.subarray(0, SHARE))
      waiting = waiting.slice(SHARE)
      return share
    },
    close() {
      filter.close()
      track.close()
    },
  }
}

/** Numbers of samples in a frame's share, of both channels. */
const SHARE = SAMPLES_PER_FRAME * 2

/** What comes of one more frame of a track, or of its end: interleaved, maybe nothing. Frees the frame. */
function resample(
  frame: Frame | undefined,
  { filter, track, av }: { filter: Filter; track: Track; av: NodeAv },
): readonly Float32Array[] {
  if (frame === undefined) {
    if (!filter.isFilterInitialized) return []
    filter.flushSync()
  } else {
    // The filter places samples by their time, which it counts in samples of the input.
    const seconds = track.secondsOf(frame)
    if (seconds !== undefined) frame.pts = BigInt(Math.round(seconds * frame.sampleRate))
    frame.timeBase = new av.Rational(1, frame.sampleRate)
    filter.processSync(frame)
    frame.free()
  }
  const parts: Float32Array[] = []
  for (;;) {
    const part = filter.receiveSync()
    if (!(part instanceof av.Frame)) return parts
    const bytes = part.toBuffer()
    parts.push(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + part.nbSamples * 8)))
    part.free()
  }
}

function joined(first: Float32Array, others: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(others.reduce((length, part) => length + part.length, first.length))
  whole.set(first)
  let at = first.length
  for (const part of others) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
