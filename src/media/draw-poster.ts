/**
 * Decoding for posters, on FFmpeg's own interface: the demuxer of node-av's convenience layer (6.1.1) calls
 * Promise.withResolvers, which Node 20 does not have.
 */
import { writeFile } from 'node:fs/promises'
import { Scaler } from 'node-av/api'
import { AV_LOG_FATAL, AVMEDIA_TYPE_VIDEO, AVSEEK_FLAG_BACKWARD } from 'node-av/constants'
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
import type { PosterRequest } from './poster-messages.ts'

/** Pixels of a poster's long side: sharp on a page, and never more than the video has. */
const MAX_SIDE_PIXELS = 1280

/** JPEG quality, 1–100: at 85 a still shows no blocks and has half the bytes of 95. */
const JPEG_QUALITY = 85

/** The first frame of a clip is often black or the input picture; a third in, the scene is there. */
const POSITION = 1 / 3

/** Two decode a poster fast enough, and leave a small machine something for its requests. */
const DECODER_THREADS = 2

/** Pixels of one frame: 8K. A header that claims more would cost hundreds of megabytes before a bit is decoded. */
const MAX_FRAME_PIXELS = 7680 * 4320

/** Some containers can name further files and addresses to read; a video of ours has no business with any. */
const ONLY_THIS_FILE = { protocol_whitelist: 'file' }

/** FFmpeg's unit of time where no stream gives one: microseconds. */
const AV_TIME_BASE = 1_000_000

/** Decodes the frame at a third of a video and writes it as a JPEG. Returns the poster's size in pixels. */
export async function drawPoster(request: PosterRequest): Promise<{ width: number; height: number }> {
  Log.setLevel(AV_LOG_FATAL)
  await using input = new FormatContext()
  FFmpegError.throwIfError(
    await input.openInput(request.videoPath, null, Dictionary.fromObject(ONLY_THIS_FILE)),
    'open',
  )
  FFmpegError.throwIfError(await input.findStreamInfo(), 'read streams')
  const stream = input.streams?.[input.findBestStream(AVMEDIA_TYPE_VIDEO)]
  if (stream === undefined) throw new Error('The file has no video.')
  using decoder = await openDecoder(stream)
  const seconds = request.durationSeconds * POSITION
  // To the key frame before it; an input that cannot seek is read from where it stands, its start.
  await input.seekFrame(-1, BigInt(Math.floor(seconds * AV_TIME_BASE)), AVSEEK_FLAG_BACKWARD)
  using frame = new Frame()
  frame.alloc()
  await decodeUntil({ input, stream, decoder, frame, seconds })
  // The scaler's filter graph refuses a frame that does not know its unit of time.
  frame.timeBase = stream.timeBase
  const size = fitted(frame.width, frame.height)
  using scaler = new Scaler()
  await writeFile(request.posterPath, await scaler.toJpeg(frame, { resize: size, quality: JPEG_QUALITY }))
  return size
}

async function openDecoder(stream: Stream): Promise<CodecContext> {
  const { width, height, codecId } = stream.codecpar
  if (width * height > MAX_FRAME_PIXELS) throw new Error(`Its frames have ${width} × ${height} pixels.`)
  const codec = Codec.findDecoder(codecId)
  if (codec === null) throw new Error('Its codec is not known here.')
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  FFmpegError.throwIfError(decoder.parametersToContext(stream.codecpar), 'set up the decoder')
  decoder.threadCount = DECODER_THREADS
  FFmpegError.throwIfError(await decoder.open2(codec, null), 'open the decoder')
  return decoder
}

interface Decoding {
  readonly input: FormatContext
  readonly stream: Stream
  readonly decoder: CodecContext
  /** Filled with the frame that was found. */
  readonly frame: Frame
  readonly seconds: number
}

/** Decodes up to the first frame at or after a time, or the last there is. */
async function decodeUntil({ input, stream, decoder, frame, seconds }: Decoding): Promise<void> {
  using packet = new Packet()
  packet.alloc()
  using next = new Frame()
  next.alloc()
  const { num, den } = stream.timeBase
  let hasFrame = false
  for (let isReading = true; isReading; ) {
    isReading = (await input.readFrame(packet)) >= 0
    if (isReading && packet.streamIndex !== stream.index) {
      packet.unref()
      continue
    }
    // Nothing at the end makes the decoder give out what it still holds.
    await decoder.sendPacket(isReading ? packet : null)
    packet.unref()
    while ((await decoder.receiveFrame(next)) >= 0) {
      frame.unref()
      FFmpegError.throwIfError(frame.ref(next), 'keep a frame')
      hasFrame = true
      if ((Number(frame.pts) * num) / den >= seconds) return
    }
  }
  if (!hasFrame) throw new Error('No frame could be decoded.')
}

/** The size to draw at: the long side at most MAX_SIDE_PIXELS, both sides even as 4:2:0 needs. */
function fitted(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, MAX_SIDE_PIXELS / Math.max(width, height))
  const even = (pixels: number) => Math.max(2, 2 * Math.round((pixels * scale) / 2))
  return { width: even(width), height: even(height) }
}
