/**
 * Decoded frames of a file, on FFmpeg's own interface: the demuxer of node-av's convenience layer (6.1.1) calls
 * Promise.withResolvers, which Node 20 does not have.
 */
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

/** Two decode a poster fast enough, and leave a small machine something for its requests. */
const DECODER_THREADS = 2

/** Pixels of one frame: 8K. A header that claims more would cost hundreds of megabytes before a bit is decoded. */
const MAX_FRAME_PIXELS = 7680 * 4320

/** Some containers can name further files and addresses to read; a video of ours has no business with any. */
const ONLY_THIS_FILE = { protocol_whitelist: 'file' }

/** FFmpeg's unit of time where no stream gives one: microseconds. */
const AV_TIME_BASE = 1_000_000

interface OpenVideo {
  readonly input: FormatContext
  readonly stream: Stream
  readonly decoder: CodecContext
}

/** Gives frames of a video in the order of their times. One caller at a time. */
export class VideoFrames implements AsyncDisposable {
  readonly #video: OpenVideo
  readonly #packet = new Packet()
  readonly #next = new Frame()
  readonly #frame = new Frame()
  #hasFrame = false
  #isRead = false

  private constructor(video: OpenVideo) {
    this.#video = video
    this.#packet.alloc()
    this.#next.alloc()
    this.#frame.alloc()
  }

  static async open(path: string): Promise<VideoFrames> {
    Log.setLevel(AV_LOG_FATAL)
    const input = new FormatContext()
    try {
      FFmpegError.throwIfError(await input.openInput(path, null, Dictionary.fromObject(ONLY_THIS_FILE)), 'open')
      FFmpegError.throwIfError(await input.findStreamInfo(), 'read streams')
      const stream = input.streams?.[input.findBestStream(AVMEDIA_TYPE_VIDEO)]
      if (stream === undefined) throw new Error('The file has no video.')
      return new VideoFrames({ input, stream, decoder: await openDecoder(stream) })
    } catch (error) {
      await input[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Goes to the key frame before a time; an input that cannot seek is read from where it stands. Before any frame. */
  async seek(seconds: number): Promise<void> {
    await this.#video.input.seekFrame(-1, BigInt(Math.floor(seconds * AV_TIME_BASE)), AVSEEK_FLAG_BACKWARD)
  }

  /** The first frame at or after a time that is not before the last one asked for, or the last frame that there is. */
  async frameAt(seconds: number): Promise<Frame> {
    while (!this.#isAt(seconds)) if (!(await this.#advance())) break
    if (!this.#hasFrame) throw new Error('No frame could be decoded.')
    // The scaler's filter graph refuses a frame that does not know its unit of time.
    this.#frame.timeBase = this.#video.stream.timeBase
    return this.#frame
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.#packet, this.#next, this.#frame, this.#video.decoder]) each[Symbol.dispose]()
    await this.#video.input[Symbol.asyncDispose]()
  }

  #isAt(seconds: number): boolean {
    const { num, den } = this.#video.stream.timeBase
    return this.#hasFrame && (Number(this.#frame.pts) * num) / den >= seconds
  }

  /** Decodes one frame more; false when there is none. */
  async #advance(): Promise<boolean> {
    while ((await this.#video.decoder.receiveFrame(this.#next)) < 0) {
      if (this.#isRead) return false
      await this.#feed()
    }
    this.#frame.unref()
    FFmpegError.throwIfError(this.#frame.ref(this.#next), 'keep a frame')
    this.#hasFrame = true
    return true
  }

  /** Gives the decoder the next packet of the video. */
  async #feed(): Promise<void> {
    const { input, stream, decoder } = this.#video
    do {
      this.#packet.unref()
      this.#isRead = (await input.readFrame(this.#packet)) < 0
    } while (!this.#isRead && this.#packet.streamIndex !== stream.index)
    // Nothing at the end makes the decoder give out what it still holds.
    await decoder.sendPacket(this.#isRead ? null : this.#packet)
    this.#packet.unref()
  }
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
