/**
 * The contract between what draws a clip and what writes the file: one frame of picture and its share of sound at a
 * time, so that memory does not grow with the clip, and a promise for each, so that the next frame is drawn meanwhile.
 */

/** Constant frame rate of every clip. */
export const FRAMES_PER_SECOND = 24
/** Samples of sound per second and channel. */
export const SAMPLE_RATE = 48_000
/** A whole number at these rates, so picture and sound end together, to the sample. */
export const SAMPLES_PER_FRAME = SAMPLE_RATE / FRAMES_PER_SECOND

/**
 * x264's preset and constant quality. Measured on our own frames (480 × 720, SSIM): at equal quality `veryfast` takes more
 * than twice the bytes, and its skies crawl where motion is slow; `fast` takes a third more time for nothing.
 */
export const X264_PRESET = 'faster'
export const X264_QUALITY = 21
/**
 * Off: x264 165's macroblock tree gives other bytes on one run in five where the processor has AVX-512, with one thread
 * too. Without it 24 of 24 runs were equal, and equal requests are to give equal clips.
 */
export const X264_MACROBLOCK_TREE = false
/** Frames that x264 looks ahead: with the tree off it plans B-frames only, and what it holds back is encoded last, alone. */
export const X264_LOOKAHEAD = 8
/** x264 gives equal bytes for equal input only at an equal number of threads, so it is not left to the machine. */
export const X264_THREADS = 2
/** Two seconds between key frames: players seek quickly, and the size hardly changes. */
export const KEY_FRAME_INTERVAL = FRAMES_PER_SECOND * 2
/** Bits per second of AAC: transparent for wind and waves. */
export const SOUND_BITS_PER_SECOND = 128_000

export interface EncoderOptions {
  /** Path of the MP4 that is to be written. */
  readonly path: string
  /** Even numbers of pixels. */
  readonly width: number
  readonly height: number
}

export interface Encoder extends AsyncDisposable {
  /**
   * Adds one frame. `planes` is I420 (BT.709, tv range), tightly packed; `sound` holds SAMPLES_PER_FRAME interleaved
   * stereo samples, −1 to 1. The planes are copied before this returns; the samples must stay as they are until the promise
   * settles, which is when the next frame may come.
   */
  write(planes: Uint8Array, sound: Float32Array): Promise<void>
  /** Ends the file: afterwards it is complete, with its index in front. Disposing without this leaves a broken file. */
  finish(): Promise<void>
}
