/**
 * Encodes through node-av: FFmpeg's libraries inside this process, with encoding on their own threads. Its binary is
 * under the GPL and comes from npm at install; nothing of it is bundled with Reelay. It is loaded on first use, so that
 * a machine without it can fall back on its own ffmpeg.
 */
import {
  type Encoder,
  type EncoderOptions,
  FRAMES_PER_SECOND,
  KEY_FRAME_INTERVAL,
  SAMPLE_RATE,
  SAMPLES_PER_FRAME,
  SOUND_BITS_PER_SECOND,
  X264_LOOKAHEAD,
  X264_MACROBLOCK_TREE,
  X264_PRESET,
  X264_QUALITY,
  X264_THREADS,
} from './encoder.ts'

/** The parts of node-av that are used. Throws when the package or its binary cannot be loaded. */
export async function loadNodeAv() {
  const [api, lib, constants] = await Promise.all([
    import('node-av/api'),
    import('node-av/lib'),
    import('node-av/constants'),
  ])
  // Below errors it would write x264's settings to stderr for every clip.
  lib.Log.setLevel(constants.AV_LOG_ERROR)
  return { ...api, ...lib, ...constants }
}
export type NodeAv = Awaited<ReturnType<typeof loadNodeAv>>

export async function openNodeAvEncoder(av: NodeAv, options: EncoderOptions): Promise<Encoder> {
  const picture = await createPictureEncoder(av)
  const sound = await av.Encoder.create(av.FF_ENCODER_AAC, { bitrate: SOUND_BITS_PER_SECOND })
  const muxer = await av.Muxer.open(options.path, { format: 'mp4', options: { movflags: 'faststart' } })
  const pictureStream = muxer.addStream(picture)
  const soundStream = muxer.addStream(sound)
  // node-av's frame goes on reading the buffer that it is made from, whatever its documentation says: a copy of our own,
  // which lives as long as the encoder, for the caller draws the next frame into his planes meanwhile.
  const held = Buffer.alloc((options.width * options.height * 3) / 2)
  let frames = 0

  /** Muxes the packets that are ready. */
  function mux(encoder: typeof picture | typeof sound, stream: number): void {
    for (;;) {
      const packet = encoder.receiveSync()
      if (!(packet instanceof av.Packet)) return
      muxer.writePacketSync(packet, stream)
      packet.free()
    }
  }

  return {
    async write(planes, samples) {
      held.set(planes)
      using pictureFrame = toPictureFrame(av, held, options, frames)
      // Pictures are encoded on other threads while the caller draws. Sound and muxing take a few tenths of a
      // millisecond, less than the turns through the thread pool would; and done here, their order is always the same,
      // so that equal requests give files of equal bytes.
      await picture.encode(pictureFrame)
      mux(picture, pictureStream)
      using soundFrame = toSoundFrame(av, samples, frames)
      sound.encodeSync(soundFrame)
      mux(sound, soundStream)
      frames += 1
    },
    async finish() {
      await picture.flush()
      mux(picture, pictureStream)
      sound.flushSync()
      mux(sound, soundStream)
      await muxer.close()
    },
    async [Symbol.asyncDispose]() {
      picture.close()
      sound.close()
      await muxer.close()
    },
  }
}

function createPictureEncoder(av: NodeAv) {
  return av.Encoder.create(av.FF_ENCODER_LIBX264, {
    gopSize: KEY_FRAME_INTERVAL,
    threadCount: X264_THREADS,
    context: { framerate: new av.Rational(FRAMES_PER_SECOND, 1) },
    options: {
      preset: X264_PRESET,
      profile: 'high',
      crf: X264_QUALITY,
      mbtree: X264_MACROBLOCK_TREE,
      'rc-lookahead': X264_LOOKAHEAD,
    },
  })
}

function toPictureFrame(av: NodeAv, planes: Buffer, { width, height }: EncoderOptions, index: number) {
  const frame = av.Frame.fromVideoBuffer(planes, {
    width,
    height,
    format: av.AV_PIX_FMT_YUV420P,
    timeBase: { num: 1, den: FRAMES_PER_SECOND },
    sampleAspectRatio: { num: 1, den: 1 },
    pts: BigInt(index),
  })
  frame.duration = 1n
  frame.colorRange = av.AVCOL_RANGE_MPEG
  frame.colorSpace = av.AVCOL_SPC_BT709
  frame.colorPrimaries = av.AVCOL_PRI_BT709
  frame.colorTrc = av.AVCOL_TRC_BT709
  return frame
}

function toSoundFrame(av: NodeAv, samples: Float32Array, index: number) {
  return av.Frame.fromAudioBuffer(planar(samples), {
    nbSamples: SAMPLES_PER_FRAME,
    format: av.AV_SAMPLE_FMT_FLTP,
    sampleRate: SAMPLE_RATE,
    // The object: the bit mask of the same name without CHANNEL makes a frame of no channels.
    channelLayout: av.AV_CHANNEL_LAYOUT_STEREO,
    timeBase: { num: 1, den: SAMPLE_RATE },
    pts: BigInt(index * SAMPLES_PER_FRAME),
  })
}

/** AAC takes each channel by itself. */
function planar(interleaved: Float32Array): Buffer {
  const channels = new Float32Array(interleaved.length)
  const half = interleaved.length / 2
  for (let sample = 0; sample < half; sample++) {
    channels[sample] = interleaved[sample * 2] ?? 0
    channels[half + sample] = interleaved[sample * 2 + 1] ?? 0
  }
  return Buffer.from(channels.buffer)
}
