/**
 * Files of a request as upstreams can take them. A picture is drawn anew: upright, for many engines pass over the turn that
 * its EXIF asks for; in sRGB with 8 bits; without what a camera or an editor wrote into it; without holes, which a video
 * cannot have; as PNG or JPEG, which everybody reads; and, where the engine starts from it, in exactly the frame's size.
 * Equal pictures and needs give equal bytes, so that a repeated start says the very same.
 */
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'
import type { GenerationRequest } from '../../canonical/generation.ts'
import type { Reference } from '../../canonical/reference.ts'
import type { OpenReference } from '../provider.ts'
import { MAX_PICTURE_BYTES, referenceBytes } from './reference-bytes.ts'

/** JPEG qualities, 1–100: near to lossless, and what it becomes where that is too large. */
const JPEG_QUALITIES = [95, 85, 70] as const

/** What shows through holes in a picture. */
const GROUND = '#ffffff'

/** As files are examined when they come in: 50 megapixels. */
const MAX_PIXELS = 8192 * 6144

export interface PictureNeeds {
  /** Pixels of the frame, for a picture that is one; others keep their shape. */
  readonly frame?: { readonly width: number; readonly height: number } | undefined
  /** Bytes that the upstream takes; by default what any does. */
  readonly maxBytes?: number
}

/** A file of a request, and what is sent of it. */
export interface FileToSend {
  readonly reference: Reference
  readonly mimeType: string
  readonly bytes: Buffer
  /** Of the bytes, hex. */
  readonly sha256: string
}

/** Makes a file ready. @throws Error where it cannot be read, or made to be what is needed. */
export async function fileToSend(
  reference: Reference,
  openReference: OpenReference,
  needs: PictureNeeds = {},
): Promise<FileToSend> {
  const bytes = await referenceBytes(reference, openReference)
  if (reference.kind !== 'image') return told(reference, { mimeType: reference.mimeType, bytes })
  return told(reference, await drawnAnew(reference, bytes, needs))
}

/** `data:image/png;base64,…` (RFC 2397). */
export function dataUriOf({ mimeType, bytes }: Pick<FileToSend, 'mimeType' | 'bytes'>): string {
  return `data:${mimeType};base64,${bytes.toString('base64')}`
}

/** A file as an upstream gets it in JSON. */
export interface SentFile {
  readonly reference: Reference
  /** Of the kind `data:`. */
  readonly url: string
}

/** The files of a request in their order. @throws Error where one cannot be read. */
export async function filesToSend(
  { references }: Pick<GenerationRequest, 'references'>,
  openReference: OpenReference,
): Promise<SentFile[]> {
  const files: SentFile[] = []
  for (const reference of references) {
    files.push({ reference, url: dataUriOf(await fileToSend(reference, openReference)) })
  }
  return files
}

interface Drawn {
  readonly mimeType: string
  readonly bytes: Buffer
}

async function drawnAnew(
  { fileId, mimeType }: Reference,
  original: Buffer,
  { frame, maxBytes = MAX_PICTURE_BYTES }: PictureNeeds,
): Promise<Drawn> {
  const draw = (): Sharp => {
    const upright = sharp(original, { failOn: 'truncated', limitInputPixels: MAX_PIXELS }).autoOrient()
    const opaque = upright.flatten({ background: GROUND }).toColourspace('srgb')
    // What a picture shows is seldom in its middle alone: a face above it is kept where the sides are cut.
    return frame === undefined ? opaque : opaque.resize({ ...frame, fit: 'cover', position: sharp.strategy.attention })
  }
  if (mimeType !== 'image/jpeg') {
    const bytes = await draw().png().toBuffer()
    if (bytes.length <= maxBytes) return { mimeType: 'image/png', bytes }
  }
  for (const quality of JPEG_QUALITIES) {
    const bytes = await draw().jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
    if (bytes.length <= maxBytes) return { mimeType: 'image/jpeg', bytes }
  }
  throw new Error(`${fileId} cannot be made smaller than the ${maxBytes} bytes that are taken`)
}

function told(reference: Reference, { mimeType, bytes }: Drawn): FileToSend {
  return { reference, mimeType, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}
