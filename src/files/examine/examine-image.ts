import { readFile } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'
import { ALLOWED_TYPES } from '../detect/allowed-types.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE_PIXELS } from '../kind-limits.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { checkEnd } from './check-end.ts'
import { checkSides } from './check-sides.ts'
import { jpegEnd } from './jpeg-end.ts'
import { riffEnd } from './riff-end.ts'
import { walkPng } from './walk-png.ts'

/** The largest picture decodes in a second or two; what takes longer was made to take long. */
const DECODE_TIMEOUT_SECONDS = 30

/** To decode all of a picture it is shrunk to this: the result is thrown away. */
const SHRUNK_SIDE_PIXELS = 8

/**
 * Looks into a still picture: where it ends, how large it claims to be, and whether all of it can be decoded.
 * @throws FileRefused
 */
export async function examineImage(file: ReceivedFile): Promise<ExaminedFile> {
  const called = calledOf(file.mimeType)
  const bytes = await readFile(file.path)
  const { end, picture } = walk(file.mimeType, bytes)
  checkEnd(called, end, bytes.length)
  refuseScripts(called, bytes)
  const header = await readHeader(called, picture)
  if ((header.pages ?? 1) > 1) throw animated(called)
  const { width, height } = header.autoOrient
  // Before a pixel is decoded: a few bytes can claim gigabytes of them.
  checkSides(called, { width, height }, { maxPixels: MAX_IMAGE_PIXELS, maxSide: MAX_IMAGE_SIDE_PIXELS })
  await decode(called, picture)
  return { ...file, width, height, durationSeconds: undefined }
}

/** Where the picture ends, and the part of the file to decode. */
function walk(mimeType: string, bytes: Buffer): { readonly end: number; readonly picture: Buffer } {
  if (mimeType === 'image/jpeg') return { end: jpegEnd(bytes), picture: bytes }
  if (mimeType === 'image/webp') return { end: riffEnd(bytes), picture: bytes }
  const png = walkPng(bytes)
  if (png.isAnimated) throw animated('a PNG image')
  return png
}

/** A server that is set up badly runs what stands in the metadata of a picture. No camera writes this there. */
function refuseScripts(called: string, bytes: Buffer): void {
  if (!['<?php ', '<script>', '<script '].some((tag) => bytes.includes(tag))) return
  throw new FileRefused('not_allowed', {
    found: `${called} with a script in it`,
    allowed: 'files that are one thing only',
  })
}

async function readHeader(called: string, bytes: Buffer): Promise<Metadata> {
  return sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw broken(called, cause)
    })
}

/** Strict: also what most programs would show with a grey half. */
async function decode(called: string, bytes: Buffer): Promise<void> {
  try {
    await sharp(bytes, { failOn: 'warning', limitInputPixels: MAX_IMAGE_PIXELS, sequentialRead: true })
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .resize({ width: SHRUNK_SIDE_PIXELS, height: SHRUNK_SIDE_PIXELS, fit: 'fill', fastShrinkOnLoad: false })
      .raw()
      .toBuffer()
  } catch (cause) {
    throw broken(called, cause)
  }
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
