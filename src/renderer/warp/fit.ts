/** How a picture of any shape comes to fill a frame: enlarged or reduced evenly, cropped, never stretched. */

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Box extends Size {
  readonly left: number
  readonly top: number
}

/** A place in a picture as shares of its width and height, 0–1. */
export interface Place {
  readonly x: number
  readonly y: number
}

/** Whole pixels, in the order in which they are applied. */
export interface Fit {
  /** What is taken of the source. */
  readonly crop: Box
  /** What that is resized to: both ways by the same factor, to within the rounding to whole pixels. */
  readonly scaled: Size
  /** What is kept of the resized: the frame, and around it what the camera may come to show. Even numbers. */
  readonly cut: Box
  /** Where the frame stands in the cut. Even numbers, as its chroma has half as many pixels. */
  readonly frame: Box
}

/** Kept beside the frame where the picture reaches on, as a share of the frame: further the camera does not go. */
const SLACK = 0.14
/** Where more than this share of a side is needed, all of it is resized: a JPEG is then decoded at a fraction of its size. */
const WORTH_CROPPING = 0.5
/** Source pixels taken beside the crop, so that its edge is resized from what is really there. */
const RESIZE_MARGIN = 4

/** Places a frame in a picture, around its centre of interest. */
export function fitPicture(source: Size, frame: Size, interest: Place): Fit {
  const scale = Math.max(frame.width / source.width, frame.height / source.height)
  const across = fitSide(source.width, frame.width, { scale, interest: interest.x })
  const down = fitSide(source.height, frame.height, { scale, interest: interest.y })
  return {
    crop: { left: across.cropFrom, width: across.cropLength, top: down.cropFrom, height: down.cropLength },
    scaled: { width: across.scaled, height: down.scaled },
    cut: { left: across.cutFrom, width: across.cutLength, top: down.cutFrom, height: down.cutLength },
    frame: { left: across.before, width: frame.width, top: down.before, height: frame.height },
  }
}

/**
 * The size of the whole source as it is scaled for a frame, or nothing where the source is so much longer than the frame
 * that `fitPicture` may crop it first, wherever the interest lies.
 */
export function uncroppedSize(source: Size, frame: Size): Size | undefined {
  const scale = Math.max(frame.width / source.width, frame.height / source.height)
  const width = Math.max(frame.width, Math.round(source.width * scale))
  const height = Math.max(frame.height, Math.round(source.height * scale))
  const isKept = width * WORTH_CROPPING <= frame.width && height * WORTH_CROPPING <= frame.height
  return isKept ? { width, height } : undefined
}

/** One side of the fit; the two do not depend on each other but by the scale. */
function fitSide(source: number, frame: number, { scale, interest }: { scale: number; interest: number }) {
  const whole = Math.max(frame, Math.round(source * scale))
  const spare = whole - frame
  const start = Math.min(spare, Math.max(0, Math.round(interest * whole - frame / 2)))
  const before = evenBelow(Math.min(start, frame * SLACK))
  const after = evenBelow(Math.min(spare - start, frame * SLACK))
  const [from, cutLength] = [start - before, before + frame + after]
  const isCropped = cutLength < whole * WORTH_CROPPING
  const cropFrom = isCropped ? Math.max(0, Math.floor(from / scale) - RESIZE_MARGIN) : 0
  const cropTo = isCropped ? Math.min(source, Math.ceil((from + cutLength) / scale) + RESIZE_MARGIN) : source
  const cropLength = cropTo - cropFrom
  const scaled = Math.max(cutLength, Math.round(cropLength * scale))
  const cutFrom = Math.min(scaled - cutLength, Math.max(0, Math.round(from - cropFrom * scale)))
  return { cropFrom, cropLength, scaled, cutFrom, cutLength, before }
}

function evenBelow(pixels: number): number {
  return 2 * Math.floor(pixels / 2)
}
