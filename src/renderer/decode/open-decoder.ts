import { loadNodeAv } from '../encode/node-av-encoder.ts'
import type { Decoder, DecoderOptions } from './decoder.ts'
import { openFfmpegDecoder } from './ffmpeg-decoder.ts'
import { openNodeAvDecoder } from './node-av-decoder.ts'

/** Opens node-av's decoder, or the machine's own ffmpeg where node-av cannot be loaded (its platform has no binary). */
export async function openDecoder(options: DecoderOptions): Promise<Decoder> {
  const av = await loadNodeAv().catch(() => undefined)
  return av === undefined ? openFfmpegDecoder(options) : openNodeAvDecoder(av, options)
}
