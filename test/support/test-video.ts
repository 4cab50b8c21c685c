import { Encoder, Muxer } from 'node-av/api'
import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_LOG_ERROR,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBVPX_VP8,
  FF_ENCODER_LIBX264,
  type FFEncoderCodec,
} from 'node-av/constants'
import { Frame, Log, Packet, Rational } from 'node-av/lib'

const FRAMES_PER_SECOND = 10
const SAMPLE_RATE = 48_000
/** The frame size of AAC. */
const SAMPLES_PER_FRAME = 1024

export interface TestVideo {
  readonly path: string
  readonly durationSeconds?: number
  readonly width?: number
  readonly height?: number
  readonly sound?: 'none' | 'silence'
  /** `mp4` has its index in front; `mp4-index-last` behind; `mp4-fragments` in pieces. */
  readonly format?: 'mp4' | 'mp4-index-last' | 'mp4-fragments' | 'mov' | 'webm'
}

const FORMATS = {
  mp4: { format: 'mp4', options: { movflags: 'faststart' } },
  'mp4-index-last': { format: 'mp4', options: {} },
  'mp4-fragments': { format: 'mp4', options: { movflags: 'frag_keyframe+empty_moov' } },
  mov: { format: 'mov', options: {} },
  webm: { format: 'webm', options: {} },
} as const

/** Writes a small video in which every frame differs: by default 2 s of 160 × 90 at 10 frames a second, as faststart MP4. */
export async function writeTestVideo(video: TestVideo): Promise<string> {
  Log.setLevel(AV_LOG_ERROR)
  const { path, durationSeconds = 2, width = 160, height = 90, sound = 'none', format = 'mp4' } = video
  const muxer = await Muxer.open(path, FORMATS[format])
  const codec: FFEncoderCodec = format === 'webm' ? FF_ENCODER_LIBVPX_VP8 : FF_ENCODER_LIBX264
  const picture = await Encoder.create(codec, {
    gopSize: FRAMES_PER_SECOND,
    context: { framerate: new Rational(FRAMES_PER_SECOND, 1) },
  })
  const pictureStream = muxer.addStream(picture)
  const frames = durationSeconds * FRAMES_PER_SECOND
  const silence = sound === 'silence' ? await Encoder.create(FF_ENCODER_AAC, { bitrate: 64_000 }) : undefined
  const soundStream = silence === undefined ? 0 : muxer.addStream(silence)
  for (let index = 0; index < frames; index += 1) {
    await encode(muxer, picture, pictureStream, pictureFrame(index, width, height))
    if (silence === undefined) continue
    const samplesUntil = (index + 1) * (SAMPLE_RATE / FRAMES_PER_SECOND)
    const first = Math.ceil((index * (SAMPLE_RATE / FRAMES_PER_SECOND)) / SAMPLES_PER_FRAME)
    for (let block = first; block * SAMPLES_PER_FRAME < samplesUntil; block += 1) {
      await encode(muxer, silence, soundStream, soundFrame(block))
    }
  }
  await encode(muxer, picture, pictureStream, undefined)
  if (silence !== undefined) await encode(muxer, silence, soundStream, undefined)
  await muxer.close()
  picture.close()
  silence?.close()
  return path
}

/** Sends one frame, or the end of the stream, and writes what comes out. */
async function encode(muxer: Muxer, encoder: Encoder, stream: number, frame: Frame | undefined): Promise<void> {
  if (frame === undefined) await encoder.flush()
  else await encoder.encode(frame).finally(() => frame.free())
  for (;;) {
    const packet = await encoder.receive()
    if (!(packet instanceof Packet)) return
    await muxer.writePacket(packet, stream)
    packet.free()
  }
}

/** A gradient that moves, with enough detail that the file is not all headers. */
function pictureFrame(index: number, width: number, height: number): Frame {
  const planes = Buffer.alloc((width * height * 3) / 2, 128)
  for (let at = 0; at < width * height; at += 1) planes[at] = (at * 31 + (at >> 5) * 7 + index * 13) & 0xff
  const frame = Frame.fromVideoBuffer(planes, {
    width,
    height,
    format: AV_PIX_FMT_YUV420P,
    timeBase: { num: 1, den: FRAMES_PER_SECOND },
    pts: BigInt(index),
  })
  frame.duration = 1n
  return frame
}

function soundFrame(block: number): Frame {
  return Frame.fromAudioBuffer(Buffer.alloc(SAMPLES_PER_FRAME * 2 * 4), {
    nbSamples: SAMPLES_PER_FRAME,
    format: AV_SAMPLE_FMT_FLTP,
    sampleRate: SAMPLE_RATE,
    channelLayout: AV_CHANNEL_LAYOUT_STEREO,
    timeBase: { num: 1, den: SAMPLE_RATE },
    pts: BigInt(block * SAMPLES_PER_FRAME),
  })
}
