import { SAMPLE_RATE, SAMPLES_PER_FRAME } from '../../src/renderer/encode/encoder.ts'
import { openEncoder } from '../../src/renderer/encode/open-encoder.ts'

export interface VideoToMake {
  readonly path: string
  readonly width: number
  readonly height: number
  readonly frames: number
  /** Luma of a pixel, 16–235; chroma stays grey. */
  luma(frame: number, x: number, y: number): number
  /** Both channels at a time in seconds; silent unless given. */
  sound?(seconds: number): number
}

/** Writes an MP4 (H.264 and AAC, 24 frames per second) whose every pixel and sample is known. */
export async function makeVideo({ path, width, height, frames, luma, sound }: VideoToMake): Promise<void> {
  await using encoder = await openEncoder({ path, width, height })
  for (let frame = 0; frame < frames; frame++) {
    const planes = new Uint8Array((width * height * 3) / 2).fill(128)
    for (let at = 0; at < width * height; at++) planes[at] = luma(frame, at % width, Math.floor(at / width))
    const samples = Float32Array.from(
      { length: SAMPLES_PER_FRAME * 2 },
      (_, index) => sound?.((frame * SAMPLES_PER_FRAME + (index >> 1)) / SAMPLE_RATE) ?? 0,
    )
    await encoder.write(planes, samples)
  }
  await encoder.finish()
}

/** A short tone that begins at a second, for finding it again. */
export function toneAt(start: number): (seconds: number) => number {
  return (seconds) =>
    seconds >= start && seconds < start + 0.02 ? Math.sin((seconds - start) * Math.PI * 2_000) * 0.8 : 0
}

/** The first second at which interleaved stereo samples are loud. */
export function firstLoudSecond(samples: readonly Float32Array[]): number {
  const whole = samples.flatMap((part) => [...part])
  return (whole.findIndex((sample) => Math.abs(sample) > 0.2) >> 1) / SAMPLE_RATE
}
