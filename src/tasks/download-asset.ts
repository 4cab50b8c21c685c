/**
 * Fetches a finished video from where a provider keeps it. A connection that breaks is taken up where it broke, by
 * `Range`; nothing is generated again. What comes is held against a cap, and against the length that was announced.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { BrokenMedia } from '../media/broken-media.ts'
import { FetchError, type FetchErrorReason } from '../media/fetch-error.ts'
import { faultPoint } from '../observe/fault-point.ts'
import { AssetGone, type ProducedAsset } from '../providers/provider.ts'

/** A minute of 1080p has some 60 MB; far beyond, it is no clip of ours. */
const MAX_VIDEO_BYTES = 2 * 1024 * 1024 * 1024

/** Times that a broken download is taken up before it is left to a later step. */
const MAX_RESUMES = 5

/** Pause before a broken download is taken up. */
const RESUME_PAUSE_MS = 500

const FINAL_REASONS: readonly FetchErrorReason[] = ['url_refused', 'address_refused', 'too_large']

type RemoteAsset = Extract<ProducedAsset, { download: unknown }>

/**
 * Writes the asset's bytes to `path`, which must not exist.
 * @throws AssetGone when its link no longer works; BrokenMedia when it is too large; else why it could not be fetched.
 */
export async function downloadAsset(
  { download }: RemoteAsset,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<void> {
  const file = await open(path, 'wx')
  try {
    let bytes = 0
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await downloadRest({ download, file, fromByte: bytes, signal })
      } catch (error) {
        if (isFinal(error) || signal.aborted || attempt === MAX_RESUMES) throw error
        bytes = (await file.stat()).size
        await faultPoint('collect.resuming')
        await delay(RESUME_PAUSE_MS, undefined, { signal })
      }
    }
  } finally {
    await file.close()
  }
}

/** Whether asking again for the same bytes would come to the same. */
function isFinal(error: unknown): boolean {
  if (error instanceof FetchError) return FINAL_REASONS.includes(error.reason)
  return error instanceof AssetGone || error instanceof BrokenMedia
}

/**
 * One try. A function of its own, for our compiler keeps the error of an `await using` from one turn of a loop to the next:
 * after a first failure no later turn would succeed.
 */
async function downloadRest({
  download,
  file,
  fromByte,
  signal,
}: Pick<RemoteAsset, 'download'> & {
  readonly file: FileHandle
  readonly fromByte: number
  readonly signal: AbortSignal
}): Promise<void> {
  await using part = await download({ fromByte, signal })
  // Where the other side knows no ranges, what there is comes again.
  const bytes = await append(file, part.body, part.fromByte)
  if (part.totalBytes !== undefined && bytes < part.totalBytes)
    throw new Error(`the download ended at ${bytes} of ${part.totalBytes} bytes`)
}

async function append(file: FileHandle, body: AsyncIterable<Buffer>, from: number): Promise<number> {
  let bytes = from
  await file.truncate(from)
  for await (const chunk of body) {
    if (bytes + chunk.length > MAX_VIDEO_BYTES) {
      throw new BrokenMedia('too_large', `The video is larger than ${MAX_VIDEO_BYTES} bytes.`)
    }
    let written = 0
    while (written < chunk.length)
      written += (await file.write(chunk, written, chunk.length - written, bytes + written)).bytesWritten
    bytes += chunk.length
  }
  return bytes
}
