import sharp, { type Sharp } from 'sharp'
import { type Box, type Fit, fitPicture, type Place, type Size, uncroppedSize } from './fit.ts'
import { centreOfInterest, type Pixels, SKETCH_SIDE, shrink, sketch, sketchSize } from './sketch.ts'

/** A picture that was brought to the size of a frame, and what of it lies around the frame. */
export interface FittedPicture extends Pixels {
  /** Where the frame stands in it. */
  readonly frame: Box
  /** Shares of this picture, not of the frame. */
  readonly interest: Place
}

/** What shows through a picture with holes: whichever sets off what is there. */
const [DARK_GROUND, LIGHT_GROUND] = ['#22262e', '#f1efec']
/** Luma above which what is seen of a picture with holes is light. */
const LIGHT_LUMA = 0.6

/**
 * Reads a picture file into a frame: turned as its camera held it, in sRGB, without holes, cropped around its centre of
 * interest. Throws when it cannot be decoded.
 */
export async function readPicture(path: string, frame: Size): Promise<FittedPicture> {
  // A file may give way to another of the same name; libvips would answer from what it remembers of the first.
  sharp.cache(false)
  const { autoOrient: source, hasAlpha } = await sharp(path).metadata()
  const ground = hasAlpha ? await groundFor(path) : DARK_GROUND
  const opaque = () => sharp(path, { failOn: 'truncated' }).autoOrient().flatten({ background: ground })
  const whole = uncroppedSize(source, frame)
  if (whole !== undefined) {
    // Decoding takes the longest: a picture that is kept nearly whole is decoded once, and looked at afterwards.
    // The extract of all has sharp turn the picture before it is scaled; without, one that is turned is not the same.
    const scaled = opaque()
      .resize({ ...whole, fit: 'fill' })
      .extract({ left: 0, top: 0, ...whole })
    const pixels = await toPixels(scaled)
    const interest = centreOfInterest(sketch(shrink(pixels, sketchSize(pixels))))
    const fit = fitPicture(source, frame, interest)
    return { ...cutOut(pixels, fit.cut), frame: fit.frame, interest: interestIn(fit, { source, interest }) }
  }
  const small = await toPixels(opaque().resize({ width: SKETCH_SIDE, height: SKETCH_SIDE, fit: 'inside' }))
  const interest = centreOfInterest(sketch(small))
  const fit = fitPicture(source, frame, interest)
  const pixels = await toPixels(fitted(opaque(), source, fit))
  return { ...pixels, frame: fit.frame, interest: interestIn(fit, { source, interest }) }
}

/** What stands in a box of a picture. */
function cutOut(pixels: Pixels, { left, top, width, height }: Box): Pixels {
  if (width === pixels.width && height === pixels.height) return pixels
  const rgb = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * pixels.width + left) * 3
    rgb.set(pixels.rgb.subarray(from, from + width * 3), row * width * 3)
  }
  return { width, height, rgb }
}

function fitted(picture: Sharp, source: Size, { crop, scaled, cut }: Fit): Sharp {
  const isWhole = crop.width === source.width && crop.height === source.height
  // Cropping first would have a JPEG decoded in full.
  const cropped = isWhole ? picture : picture.extract(crop)
  return cropped.resize({ ...scaled, fit: 'fill' }).extract(cut)
}

async function toPixels(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer({
    resolveWithObject: true,
  })
  if (info.channels !== 3) throw new Error(`a picture was decoded to ${info.channels} channels`)
  return { width: info.width, height: info.height, rgb: data }
}

async function groundFor(path: string): Promise<string> {
  const data = await sharp(path)
    .resize({ width: SKETCH_SIDE, height: SKETCH_SIDE, fit: 'inside' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer()
  let [light, seen] = [0, 0]
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] ?? 0
    light += alpha * (0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0))
    seen += alpha * 255
  }
  return light > seen * LIGHT_LUMA ? DARK_GROUND : LIGHT_GROUND
}

/** The centre of interest as shares of what was kept. */
function interestIn({ crop, scaled, cut }: Fit, { source, interest }: { source: Size; interest: Place }): Place {
  const x = ((interest.x * source.width - crop.left) * scaled.width) / crop.width - cut.left
  const y = ((interest.y * source.height - crop.top) * scaled.height) / crop.height - cut.top
  return { x: x / cut.width, y: y / cut.height }
}
