import { readFile } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'
import { ALLOWED_TYPES } from '../detect/allowed-types.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE_PIXELS } from '../kind-limits.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { checkSides } from './check-sides.ts'
import { walkJpeg } from './walk-jpeg.ts'
import { walkPng } from './walk-png.ts'

/** To decode all of a picture it is shrunk to this: the result is thrown away. */
const SHRUNK_SIDE_PIXELS = 8

/**
 * Pixels that a decoder passes over, once in each scan: twenty scans of the largest picture. Programs write some ten, and
 * that many of the largest take two seconds.
 */
const MAX_DECODED_PIXELS = 20 * MAX_IMAGE_PIXELS

/** What a decoder of JPEG says where pixels are missing or wrong; all else that it warns of is shown whole. */
const DAMAGE = /premature end|bad huffman|restart|sync|arithmetic|huffman table/i

// One picture at a time, in a process that does nothing else: nothing is worth remembering.
sharp.cache(false)
sharp.concurrency(1)

/** What to read the description from, and what to decode. */
interface Picture {
  readonly described: Buffer
  readonly pixels: Buffer
  readonly scans: number
}

/**
 * Looks into a still picture, of which nothing lies behind the end: how large it claims to be, and whether all of it can be
 * decoded.
 * @throws FileRefused
 */
export async function examineImage(file: ReceivedFile): Promise<ExaminedFile> {
  const called = calledOf(file.mimeType)
  const bytes = await readFile(file.path)
  refuseScripts(called, bytes)
  const picture = pictureIn(file.mimeType, bytes)
  const header = await readHeader(called, picture)
  if ((header.pages ?? 1) > 1) throw animated(called)
  const { width, height } = header.autoOrient
  // Before a pixel is decoded: a few bytes can claim gigabytes of them.
  checkSides(called, { width, height }, { maxPixels: MAX_IMAGE_PIXELS, maxSide: MAX_IMAGE_SIDE_PIXELS })
  if (width * height * picture.scans > MAX_DECODED_PIXELS) throw tooManyScans(called, picture.scans)
  await decode(called, picture.pixels)
  return { ...file, width, height, durationSeconds: undefined }
}

function pictureIn(mimeType: string, bytes: Buffer): Picture {
  if (mimeType === 'image/webp') return { described: bytes, pixels: bytes, scans: 1 }
  if (mimeType === 'image/jpeg') {
    const { picture, scans } = walkJpeg(bytes)
    return { described: bytes, pixels: picture, scans }
  }
  const { described, picture, isAnimated } = walkPng(bytes)
  if (isAnimated) throw animated('a PNG image')
  return { described, pixels: picture, scans: 1 }
}

/** A server that is set up badly runs what stands in the metadata of a picture. No camera writes this there. */
function refuseScripts(called: string, bytes: Buffer): void {
  if (!['<?php ', '<script>', '<script '].some((tag) => bytes.includes(tag))) return
  throw new FileRefused('not_allowed', {
    found: `${called} with a script in it`,
    allowed: 'files that are one thing only',
  })
}

/** Where the description cannot be read, the pixels speak for themselves: then they stand as they are stored. */
async function readHeader(called: string, { described, pixels }: Picture): Promise<Metadata> {
  const read = (bytes: Buffer) => sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata()
  return read(described)
    .catch(() => read(pixels))
    .catch((cause: unknown) => {
      throw broken(called, cause)
    })
}

/** All of it has to be there, also what most programs would show with a grey half. */
async function decode(called: string, pixels: Buffer): Promise<void> {
  try {
    await decodeStrictly(pixels, 'warning').catch((cause: unknown) => {
      if (!(cause instanceof Error) || DAMAGE.test(cause.message)) throw cause
      return decodeStrictly(pixels, 'error')
    })
  } catch (cause) {
    throw broken(called, cause)
  }
}

async function decodeStrictly(pixels: Buffer, failOn: 'warning' | 'error'): Promise<void> {
  await sharp(pixels, { failOn, limitInputPixels: MAX_IMAGE_PIXELS, sequentialRead: true })
    .resize({ width: SHRUNK_SIDE_PIXELS, height: SHRUNK_SIDE_PIXELS, fit: 'fill', fastShrinkOnLoad: false })
    .raw()
    .toBuffer()
}

function tooManyScans(called: string, scans: number): FileRefused {
  return new FileRefused('broken', {
    found: `${called} of ${scans} scans, too many for its size`,
    allowed: `at most ${MAX_DECODED_PIXELS} pixels in all scans together`,
  })
}

function animated(called: string): FileRefused {
  return new FileRefused('not_allowed', {
    found: `${called} that moves`,
    allowed: `still pictures, and of the other types ${ALLOWED_TYPES}`,
  })
}

function broken(called: string, cause: unknown): FileRefused {
  const about = { found: `${called} that is damaged and cannot be decoded`, allowed: 'whole files' }
  return new FileRefused('broken', about, { cause })
}
