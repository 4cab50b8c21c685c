/**
 * The contract between a video that was brought and what is made of it: its pictures and its sound at the encoder's rates,
 * one frame at a time, so that memory does not grow with the video. Pictures are decoded ahead, on other threads.
 */
import { SAMPLE_RATE } from '../encode/encoder.ts'

export interface DecoderOptions {
  /** Path of an MP4, MOV or WebM. */
  readonly path: string
  /** Pixels that pictures are scaled to, both even; the video's own rotation and pixel aspect are applied first. */
  readonly width: number
  readonly height: number
}

/** A file that cannot be read fails either when it is opened or at the first call. */
export interface Decoder extends AsyncDisposable {
  /**
   * The picture that is seen at the next 24th of a second: I420 planes (BT.709, tv range), tightly packed. After the last
   * one, that one again. It must not be changed, and is dropped when the caller drops it. Throws when there is no
   * picture at all.
   */
  nextPicture(): Promise<Uint8Array>
  /** SAMPLES_PER_FRAME interleaved stereo samples, −1 to 1: those of the next 24th of a second, or silence. */
  nextSound(): Promise<Float32Array>
}

/** Pictures that wait, decoded: enough to ride out a frame that takes long to decode, 3 MB at 480p. */
export const PICTURES_AHEAD = 4
/** What a file may turn out to be, in FFmpeg's names: never a playlist, which could name other files and hosts. */
export const READABLE_FORMATS = 'mov,matroska'
/** A file is read and nothing else, whatever it points to. */
export const READABLE_PROTOCOLS = 'file'

/**
 * FFmpeg's filter to stereo at our rate, each sample at its time: silence where the file has a gap, and before a sound that
 * begins late. Gaps under a hundredth of a second are the rounding of time stamps. More channels than two are mixed
 * without clipping.
 */
export const SOUND_FILTER =
  `aresample=${SAMPLE_RATE}:async=1:min_hard_comp=0.01:first_pts=0:rematrix_maxval=1,` +
  'aformat=sample_fmts=flt:channel_layouts=stereo'
