import type { Encoder, EncoderOptions } from './encoder.ts'
import { openFfmpegEncoder } from './ffmpeg-encoder.ts'
import { loadNodeAv, openNodeAvEncoder } from './node-av-encoder.ts'

/** Opens node-av's encoder, or the machine's own ffmpeg where node-av cannot be loaded (its platform has no binary). */
export async function openEncoder(options: EncoderOptions): Promise<Encoder> {
  const av = await loadNodeAv().catch(() => undefined)
  return av === undefined ? openFfmpegEncoder(options) : openNodeAvEncoder(av, options)
}
