import type { NodeAv } from '../encode/node-av-encoder.ts'
import { READABLE_FORMATS, READABLE_PROTOCOLS } from './decoder.ts'

type Frame = InstanceType<NodeAv['Frame']>

/** Threads that decode; more would take from those that encode. */
const DECODER_THREADS = 2

/** One track of a file, open for decoding. */
export interface Track {
  /** Decodes on until a frame is there. The caller frees it. Nothing after the last. */
  next(): Promise<Frame | undefined>
  /** The same on this thread: for sound, whose decoding takes less time than the way to another thread and back. */
  nextSync(): Frame | undefined
  /** Seconds from the file's beginning to that of the frame; `undefined` when the frame does not say. */
  secondsOf(frame: Frame): number | undefined
  close(): void
}

/**
 * Opens the best track of a kind, or answers nothing if there is none. Each track reads the file by itself, so that
 * neither has to keep what belongs to the other, however the file interleaves them.
 */
export async function openTrack(av: NodeAv, path: string, kind: 'picture' | 'sound'): Promise<Track | undefined> {
  const file = new av.FormatContext()
  const options = av.Dictionary.fromObject({
    format_whitelist: READABLE_FORMATS,
    protocol_whitelist: READABLE_PROTOCOLS,
  })
  try {
    av.FFmpegError.throwIfError(await file.openInput(`file:${path}`, null, options), 'The video cannot be opened')
    av.FFmpegError.throwIfError(await file.findStreamInfo(), 'The video cannot be read')
    const index = file.findBestStream(kind === 'picture' ? av.AVMEDIA_TYPE_VIDEO : av.AVMEDIA_TYPE_AUDIO)
    for (const stream of file.streams) if (stream.index !== index) stream.discard = av.AVDISCARD_ALL
    const stream = file.streams[index]
    if (stream === undefined) {
      file.closeInputSync()
      return undefined
    }
    const codec = av.Codec.findDecoder(stream.codecpar.codecId)
    if (codec === null) throw new Error('The video is in a codec that cannot be decoded.')
    const decoder = new av.CodecContext()
    decoder.allocContext3(codec)
    av.FFmpegError.throwIfError(decoder.parametersToContext(stream.codecpar), 'The video’s codec cannot be set up')
    decoder.pktTimebase = stream.timeBase
    decoder.threadCount = kind === 'picture' ? DECODER_THREADS : 1
    av.FFmpegError.throwIfError(await decoder.open2(codec), 'The video’s codec cannot be opened')
    return createTrack(av, { file, stream, decoder })
  } catch (cause) {
    file.closeInputSync()
    throw cause
  } finally {
    options.free()
  }
}

interface Opened {
  readonly file: InstanceType<NodeAv['FormatContext']>
  readonly stream: InstanceType<NodeAv['Stream']>
  readonly decoder: InstanceType<NodeAv['CodecContext']>
}

function createTrack(av: NodeAv, { file, stream, decoder }: Opened): Track {
  const packet = new av.Packet()
  packet.alloc()
  const state = { ended: false }
  const { num, den } = stream.timeBase
  const start = file.startTime === av.AV_NOPTS_VALUE ? 0 : Number(file.startTime) / 1e6

  function received(): Frame | undefined {
    const frame = new av.Frame()
    frame.alloc()
    if (decoder.receiveFrameSync(frame) < 0) {
      frame.free()
      return undefined
    }
    frame.timeBase = stream.timeBase
    return frame
  }

  /** The track's next packet; nothing at the end of the file, also where that is cut short. */
  function read(): typeof packet | null {
    for (;;) {
      packet.unref()
      const code = file.readFrameSync(packet)
      if (code === av.AVERROR_EAGAIN) continue
      if (code < 0) return null
      if (packet.streamIndex === stream.index) return packet
    }
  }

  return {
    async next() {
      for (;;) {
        const frame = received()
        if (frame !== undefined || state.ended) return frame
        const next = read()
        state.ended = next === null
        // A packet that is damaged is passed over, as players do.
        await decoder.sendPacket(next)
      }
    },
    nextSync() {
      for (;;) {
        const frame = received()
        if (frame !== undefined || state.ended) return frame
        const next = read()
        state.ended = next === null
        decoder.sendPacketSync(next)
      }
    },
    secondsOf(frame) {
      const stamp = frame.bestEffortTimestamp
      return stamp === av.AV_NOPTS_VALUE ? undefined : (Number(stamp) * num) / den - start
    },
    close() {
      packet.free()
      decoder.freeContext()
      file.closeInputSync()
    },
  }
}
