/**
 * Brings a finished video to the size that was asked for: scaled until it covers the frame, cut at its edges, encoded
 * anew as MP4. Sound is taken over as it is. On FFmpeg's own interface, for the reason that `video-frames.ts` tells.
 */
import { Encoder, FilterAPI, Muxer } from 'node-av/api'
import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_MP3,
  AV_CODEC_ID_OPUS,
  AV_LOG_FATAL,
  AV_NOPTS_VALUE,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  FF_ENCODER_LIBX264,
} from 'node-av/constants'
import {
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  FormatContext,
  Frame,
  Log,
  Packet,
  type Stream,
} from 'node-av/lib'
import type { ReframeRequest } from './reframe-messages.ts'

/** Of x264: near to what the eye can tell from its source, for this is the second time that the pictures are coded. */
const QUALITY = 17
const PRESET = 'faster'

/** Two leave a small machine something for its requests. */
const THREADS = 2

/** Pixels of one frame: 8K. A header that claims more would cost hundreds of megabytes before a bit is decoded. */
const MAX_FRAME_PIXELS = 7680 * 4320

/** Some containers can name further files and addresses to read. */
const ONLY_THIS_FILE = { protocol_whitelist: 'file' }

/** Sound that every player plays from an MP4. */
const COPIED_SOUND: readonly number[] = [AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_OPUS]

/** Writes the video at `path` to `targetPath` in another size. @throws Error where it cannot be decoded or encoded. */
export async function reframe({ path, targetPath, width, height }: ReframeRequest): Promise<void> {
  Log.setLevel(AV_LOG_FATAL)
  await using input = new FormatContext()
  FFmpegError.throwIfError(await input.openInput(path, null, Dictionary.fromObject(ONLY_THIS_FILE)), 'open')
  FFmpegError.throwIfError(await input.findStreamInfo(), 'read streams')
  const picture = streamOf(input, AVMEDIA_TYPE_VIDEO)
  if (picture === undefined) throw new Error('The file has no video.')
  const sound = streamOf(input, AVMEDIA_TYPE_AUDIO)
  if (sound !== undefined && !COPIED_SOUND.includes(sound.codecpar.codecId)) {
    throw new Error('Its sound is in a codec that an MP4 does not take.')
  }
  await using pictures = await openPictures({ picture, width, height })
  await using muxer = await Muxer.open(targetPath, { format: 'mp4', options: { movflags: 'faststart' } })
  const pictureIndex = muxer.addStream(pictures.encoder)
  const soundIndex = sound === undefined ? undefined : muxer.addStream(sound)
  using packet = new Packet()
  packet.alloc()
  while ((await input.readFrame(packet)) >= 0) {
    if (packet.streamIndex === picture.index) await pictures.feed(packet, write)
    else if (packet.streamIndex === sound?.index && soundIndex !== undefined) {
      packet.timeBase = sound.timeBase
      await muxer.writePacket(packet, soundIndex)
    }
    packet.unref()
  }
  await pictures.feed(null, write)

  async function write(encoded: Packet): Promise<void> {
    await muxer.writePacket(encoded, pictureIndex)
  }
}

function streamOf(
  input: FormatContext,
  media: typeof AVMEDIA_TYPE_VIDEO | typeof AVMEDIA_TYPE_AUDIO,
): Stream | undefined {
  return input.streams?.[input.findBestStream(media)]
}

interface Pictures extends AsyncDisposable {
  readonly encoder: Encoder
  /** Decodes, scales and encodes a packet; the last one is null. */
  feed(packet: Packet | null, write: (encoded: Packet) => Promise<void>): Promise<void>
}

async function openPictures(about: { picture: Stream; width: number; height: number }): Promise<Pictures> {
  const { picture, width, height } = about
  const decoder = await openDecoder(picture)
  const cover = `scale=${width}:${height}:force_original_aspect_ratio=increase:force_divisible_by=2:flags=bicubic`
  const filter = FilterAPI.create(`${cover},crop=${width}:${height},format=yuv420p`, { threads: 1 })
  const encoder = await Encoder.create(FF_ENCODER_LIBX264, {
    threadCount: THREADS,
    context: { framerate: picture.avgFrameRate },
    options: { preset: PRESET, profile: 'high', crf: QUALITY },
  })
  return {
    encoder,
    async feed(packet, write) {
      await decoder.sendPacket(packet)
      for (;;) {
        using frame = new Frame()
        frame.alloc()
        if ((await decoder.receiveFrame(frame)) < 0) break
        if (frame.bestEffortTimestamp !== AV_NOPTS_VALUE) frame.pts = frame.bestEffortTimestamp
        frame.timeBase = picture.timeBase
        for (const scaled of await filter.processAll(frame)) {
          await encoder.encode(scaled)
          scaled.free()
        }
        await drain(write)
      }
      if (packet !== null) return
      await encoder.flush()
      await drain(write)
    },
    async [Symbol.asyncDispose]() {
      filter.close()
      encoder.close()
      decoder[Symbol.dispose]()
    },
  }

  async function drain(write: (encoded: Packet) => Promise<void>): Promise<void> {
    for (;;) {
      const encoded = await encoder.receive()
      if (!(encoded instanceof Packet)) return
      await write(encoded)
      encoded.free()
    }
  }
}

async function openDecoder({ codecpar, timeBase }: Stream): Promise<CodecContext> {
  const { width, height, codecId } = codecpar
  if (width * height > MAX_FRAME_PIXELS) throw new Error(`Its frames have ${width} × ${height} pixels.`)
  const codec = Codec.findDecoder(codecId)
  if (codec === null) throw new Error('Its codec is not known here.')
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  FFmpegError.throwIfError(decoder.parametersToContext(codecpar), 'set up the decoder')
  decoder.pktTimebase = timeBase
  decoder.threadCount = THREADS
  FFmpegError.throwIfError(await decoder.open2(codec, null), 'open the decoder')
  return decoder
}
