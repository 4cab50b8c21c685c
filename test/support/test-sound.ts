import { Encoder, Muxer } from 'node-av/api'
import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_LOG_ERROR,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants'
import { Frame, Log, Packet } from 'node-av/lib'

const SAMPLE_RATE = 48_000

export interface TestSound {
  readonly path: string
  /** Rounded up to whole frames of the codec. */
  readonly durationSeconds?: number
  readonly format: 'm4a' | 'aac' | 'ogg'
}

/** The frame sizes are those of AAC and of Opus at 20 ms. */
const FORMATS = {
  m4a: { format: 'ipod', codec: FF_ENCODER_AAC, samples: 1024, sampleFormat: AV_SAMPLE_FMT_FLTP },
  aac: { format: 'adts', codec: FF_ENCODER_AAC, samples: 1024, sampleFormat: AV_SAMPLE_FMT_FLTP },
  ogg: { format: 'ogg', codec: FF_ENCODER_LIBOPUS, samples: 960, sampleFormat: AV_SAMPLE_FMT_FLT },
} as const

/** Writes a file of quiet noise, in stereo: by default 1 s of it. */
export async function writeTestSound({ path, durationSeconds = 1, format }: TestSound): Promise<string> {
  Log.setLevel(AV_LOG_ERROR)
  const { codec, samples, sampleFormat, format: container } = FORMATS[format]
  const muxer = await Muxer.open(path, { format: container })
  const encoder = await Encoder.create(codec, { bitrate: 64_000 })
  const stream = muxer.addStream(encoder)
  const blocks = Math.ceil((durationSeconds * SAMPLE_RATE) / samples)
  for (let block = 0; block < blocks; block += 1) {
    const frame = Frame.fromAudioBuffer(noise(samples, block), {
      nbSamples: samples,
      format: sampleFormat,
      sampleRate: SAMPLE_RATE,
      channelLayout: AV_CHANNEL_LAYOUT_STEREO,
      timeBase: { num: 1, den: SAMPLE_RATE },
      pts: BigInt(block * samples),
    })
    await encoder.encode(frame).finally(() => frame.free())
    await drain(muxer, encoder, stream)
  }
  await encoder.flush()
  await drain(muxer, encoder, stream)
  await muxer.close()
  encoder.close()
  return path
}

async function drain(muxer: Muxer, encoder: Encoder, stream: number): Promise<void> {
  for (;;) {
    const packet = await encoder.receive()
    if (!(packet instanceof Packet)) return
    await muxer.writePacket(packet, stream)
    packet.free()
  }
}

function noise(samples: number, block: number): Buffer {
  const values = Float32Array.from({ length: samples * 2 }, (_, at) => (((at * 31 + block * 7) % 64) - 32) / 3200)
  return Buffer.from(values.buffer)
}
