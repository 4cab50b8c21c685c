import { rm } from 'node:fs/promises'
import { examineFile } from '../examine/examine-file.ts'
import type { FileOwner } from '../file-owner.ts'
import { FileRefused } from '../file-refused.ts'
import type { FilesContext } from '../files-context.ts'
import type { KeptFile } from '../kept-file.ts'
import type { ReceivedFile } from '../received-file.ts'
import { refusedReference } from '../refused-reference.ts'
import { keepFile } from './keep-file.ts'

interface Received {
  readonly owner: FileOwner
  readonly field: string
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal
  /** Brings the file to the scratch folder, from which it is deleted here. */
  readonly receive: () => Promise<ReceivedFile>
}

/** Receives, examines and keeps a reference. Throws the refusal of its field for a file that is not taken. */
export async function keepReceived(context: FilesContext, { receive, ...about }: Received): Promise<KeptFile> {
  return await inWordsOf(about.field, async () => {
    const received = await receive()
    try {
      return await keepExamined(context, { ...about, received })
    } finally {
      await rm(received.path, { force: true })
    }
  })
}

/** Examines and keeps a reference that somebody else received, and will delete. */
export async function keepExamined(
  context: FilesContext,
  { owner, field, signal, received }: Omit<Received, 'receive'> & { readonly received: ReceivedFile },
): Promise<KeptFile> {
  return await inWordsOf(field, async () => {
    const file = await examineFile(received, { account: owner.account, signal })
    return await keepFile(context, { owner, purpose: 'reference', file })
  })
}

async function inWordsOf<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    const { found, allowed } = error
    throw refusedReference({ field, wrong: `cannot be used: the file is ${found}`, allowed, cause: error })
  }
}
