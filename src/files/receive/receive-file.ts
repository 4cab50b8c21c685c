/**
 * The way of a customer's bytes onto this disk. They are written as they come, never held; as soon as their head tells
 * what they are, the limit of that kind holds. However it ends, but for a success, nothing is left behind; what a killed
 * process leaves is swept by `sweepAbandonedFiles`.
 */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DETECTED_HEAD_BYTES, detectType } from '../detect/detect-type.ts'
import { FileRefused } from '../file-refused.ts'
import { KIND_LIMITS, MAX_NAME_CHARACTERS } from '../kind-limits.ts'
import type { DetectedType, ReceivedFile } from '../received-file.ts'
import { tooLarge } from '../too-large.ts'
import { scratchName } from './scratch-name.ts'
import { untilAborted } from './until-aborted.ts'

export interface ReceiveOptions {
  /** A folder for temporary files that exists; the file stays there until whoever received it deletes it. */
  readonly directory: string
  /** As the customer called it; empty where it has no name. */
  readonly name: string
  readonly signal?: AbortSignal
}

/**
 * Receives one file. Bytes are read no further than to where they are refused: the stream is then destroyed, and what
 * becomes of its connection is up to the caller.
 * @throws FileRefused; what the stream throws; the reason of the signal.
 */
export async function receiveFile(
  bytes: AsyncIterable<Buffer>,
  { directory, name, signal }: ReceiveOptions,
): Promise<ReceivedFile> {
  checkName(name)
  const path = join(directory, scratchName())
  const file = await open(path, 'wx', 0o600)
  try {
    const received = await write(file, signal === undefined ? bytes : untilAborted(bytes, signal))
    await file.close()
    return { ...received, path, name }
  } catch (error) {
    await file.close().catch(() => {
      // Closed already: it was closing that failed.
    })
    await rm(path, { force: true })
    throw error
  }
}

function checkName(name: string): void {
  const characters = Array.from(name).length
  const allowed = `names of at most ${MAX_NAME_CHARACTERS} characters, none of them a control character`
  if (characters > MAX_NAME_CHARACTERS) {
    throw new FileRefused('not_allowed', { found: `named with ${characters} characters`, allowed })
  }
  if (/\p{Cc}/u.test(name)) throw new FileRefused('not_allowed', { found: 'named with a control character', allowed })
}

async function write(
  file: FileHandle,
  bytes: AsyncIterable<Buffer>,
): Promise<DetectedType & { readonly sizeBytes: number; readonly sha256: string }> {
  const hash: Hash = createHash('sha256')
  let type: DetectedType | undefined
  let head: Buffer = Buffer.alloc(0)
  let sizeBytes = 0
  for await (const chunk of bytes) {
    sizeBytes += chunk.length
    if (type === undefined) {
      head = Buffer.concat([head, chunk.subarray(0, DETECTED_HEAD_BYTES - head.length)])
      if (head.length === DETECTED_HEAD_BYTES) type = detectType(head)
    }
    if (type !== undefined && sizeBytes > KIND_LIMITS[type.kind].maxBytes) throw tooLarge(type.kind)
    hash.update(chunk)
    await writeWhole(file, chunk)
  }
  return { ...(type ?? detectType(head)), sizeBytes, sha256: hash.digest('hex') }
}

/** `write` may take fewer bytes than it was given, on a nearly full disk above all. */
async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) written += (await file.write(bytes, written)).bytesWritten
}
