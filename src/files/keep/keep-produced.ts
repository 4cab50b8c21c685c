import { endingOf } from '../../media/media-types.ts'
import { MissingFile } from '../../media/missing-file.ts'
import type { FileOwner } from '../file-owner.ts'
import type { FilesContext } from '../files-context.ts'
import type { KeptFile } from '../kept-file.ts'
import type { ProducedMedia } from '../queries.ts'
import { type ReceiveOptions, receiveFile } from '../receive/receive-file.ts'
import type { ReceivedFile } from '../received-file.ts'
import { refusedReference } from '../refused-reference.ts'
import { keepKnownFile } from './keep-file.ts'
import { keepReceived } from './keep-received.ts'

/**
 * Keeps what a task produced as a file of its owner, so that it stays for as long as a request needs it, whatever
 * retention does with the task. The bytes are copied only if the owner has no file with the same ones.
 * @throws Refusal for what retention has deleted, and what is too large to be used again.
 */
export async function keepProduced(
  context: FilesContext,
  about: {
    readonly owner: FileOwner
    readonly media: ProducedMedia
    readonly field: string
    readonly signal: AbortSignal
  },
): Promise<KeptFile> {
  const { owner, media, field, signal } = about
  if (media.kind === 'manifest') {
    throw refusedReference({ field, wrong: 'leads to a manifest', allowed: 'a picture or a video' })
  }
  if (media.state === 'deleted') throw deletedByRetention(field)
  const kind = media.kind === 'video' ? 'video' : 'image'
  const name = `${media.taskId}.${endingOf(media.mimeType)}`
  const known = await keepKnownFile(context, { owner, purpose: 'reference', file: { ...media, kind, name } })
  if (known !== undefined) return known
  const receive = async () => {
    try {
      return await receiveStored(context, media.storeKey, { name, signal })
    } catch (error) {
      throw error instanceof MissingFile ? deletedByRetention(field) : error
    }
  }
  return await keepReceived(context, { owner, field, signal, receive })
}

async function receiveStored(
  { store, scratch }: FilesContext,
  storeKey: string,
  options: Omit<ReceiveOptions, 'directory'>,
): Promise<ReceivedFile> {
  const bytes = await store.open(storeKey)
  // Its reader is told of an error anyhow. Before there is one, an error that nobody listens for would end the process.
  bytes.on('error', () => {})
  try {
    return await receiveFile(bytes, { ...options, directory: scratch })
  } finally {
    // What fails before the first read leaves it open.
    bytes.destroy()
  }
}

function deletedByRetention(field: string) {
  return refusedReference({
    field,
    wrong: 'names a video that was deleted when its time was over',
    allowed: 'a video that is still kept',
  })
}
