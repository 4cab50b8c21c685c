import { open } from 'node:fs/promises'
import type { AccountId } from '../../canonical/ids.ts'
import { Turns } from '../../isolation/turns.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { examineImage } from './examine-image.ts'
import { examineInThread } from './examine-in-thread.ts'
import { HIDDEN_HEAD_BYTES, HIDDEN_TAIL_BYTES, hiddenFormat } from './hidden-format.ts'

/** Files looked into at a time in this process. A picture of the largest size costs 200 MB and a second while it is. */
const EXAMINED_AT_ONCE = 2

const turns = new Turns<AccountId>({ atOnce: EXAMINED_AT_ONCE })

export interface Examining {
  /** Whose file it is: accounts take turns. */
  readonly account: AccountId
  /** Aborts when nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Looks into a received file: that it is whole, one thing only, can be read, and is within the limits. Its kind and type
 * may differ from what the head of the file said: only the tracks of an MP4 tell whether it is a video or sound.
 * @throws FileRefused; the signal's reason, where nobody waits for it any more before it has begun.
 */
export async function examineFile(file: ReceivedFile, { account, signal }: Examining): Promise<ExaminedFile> {
  const examine = async () => {
    await refuseHiddenFormat(file)
    return file.kind === 'image' ? examineImage(file) : examineInThread(file)
  }
  return turns.run(examine, { key: account, signal })
}

async function refuseHiddenFormat({ path, sizeBytes, mimeType }: ReceivedFile): Promise<void> {
  const head = await readPart(path, 0, HIDDEN_HEAD_BYTES)
  const tail = await readPart(path, Math.max(0, sizeBytes - HIDDEN_TAIL_BYTES), HIDDEN_TAIL_BYTES)
  const hidden = hiddenFormat(head, tail)
  if (hidden === undefined) return
  throw new FileRefused('not_allowed', {
    found: `${calledOf(mimeType)} and ${hidden} at once`,
    allowed: 'files that are one thing only',
  })
}

async function readPart(path: string, position: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
