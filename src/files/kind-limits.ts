/** How large and how long a file may be, whatever the model. A model's policy may allow less. */
import type { ReferenceKind } from '../canonical/reference.ts'

const MIB = 1024 * 1024

export interface KindLimit {
  readonly maxBytes: number
  /** For sentences: one of them, and several. */
  readonly one: string
  readonly many: string
}

export const KIND_LIMITS: Readonly<Record<ReferenceKind, KindLimit>> = {
  /** The most that a vendor takes as an input picture; a JPEG of 50 megapixels at high quality fits. */
  image: { maxBytes: 20 * MIB, one: 'an image', many: 'images' },
  /** What the Rivya documentation gives; over a minute of 1080p at 6 Mbit/s. */
  video: { maxBytes: 50 * MIB, one: 'a video', many: 'videos' },
  /** What the Rivya documentation gives; four minutes of MP3 at 320 kbit/s. */
  audio: { maxBytes: 10 * MIB, one: 'a sound file', many: 'sound files' },
}

/** The largest file of any kind: what to stop at while the kind is not known. */
export const MAX_FILE_BYTES = Math.max(...Object.values(KIND_LIMITS).map(({ maxBytes }) => maxBytes))

/** What a telephone's camera of “50 megapixels” gives. In memory it is 200 MB, and a picture is drawn at 2 at the most. */
export const MAX_IMAGE_PIXELS = 8192 * 6144

/** WebP can have no longer side than this, and a strip that is longer is no picture to start a video from. */
export const MAX_IMAGE_SIDE_PIXELS = 16_383

/** 4K in its wider form. A frame of it decodes to 14 MB, and a decoder holds up to 16 of them. */
export const MAX_VIDEO_PIXELS = 4096 * 2304

/** Below this there is nothing to see; a model would be asked to invent the picture. Of pictures and videos. */
export const MIN_SIDE_PIXELS = 64

/** Videos and sound. The longest that any model takes is far shorter; this bounds the work of whoever cuts it. */
export const MAX_MEDIA_SECONDS = 600

/** What file systems allow; a longer name was made by a program, not by a person. */
export const MAX_NAME_CHARACTERS = 255
