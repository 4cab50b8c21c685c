import { writeFile } from 'node:fs/promises'
import { Scaler } from 'node-av/api'
import { fittedSize, type PixelSize } from './fitted-size.ts'
import type { PosterRequest } from './poster-messages.ts'
import { VideoFrames } from './video-frames.ts'

/** Pixels of a poster's long side: sharp on a page, and never more than the video has. */
const MAX_SIDE_PIXELS = 1280

/** JPEG quality, 1–100: at 85 a still shows no blocks and has half the bytes of 95. */
const JPEG_QUALITY = 85

/** The first frame of a clip is often black or the input picture; a third in, the scene is there. */
const POSITION = 1 / 3

/** Decodes the frame at a third of a video and writes it as a JPEG. Returns the poster's size in pixels. */
export async function drawPoster({ videoPath, picturePath, durationSeconds }: PosterRequest): Promise<PixelSize> {
  await using frames = await VideoFrames.open(videoPath)
  const seconds = durationSeconds * POSITION
  await frames.seek(seconds)
  const frame = await frames.frameAt(seconds)
  const size = fittedSize(frame, MAX_SIDE_PIXELS)
  using scaler = new Scaler()
  await writeFile(picturePath, await scaler.toJpeg(frame, { resize: size, quality: JPEG_QUALITY }))
  return size
}
