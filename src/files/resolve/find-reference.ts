/** Where a reference is, and how it becomes a file of the account: one function for each kind of origin. */
import { type FileId, parseId, parseTaskId, type TaskId } from '../../canonical/ids.ts'
import type { ReferenceOrigin } from '../../canonical/reference.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import { linkTargetOf } from '../../media/links.ts'
import type { FileOwner } from '../file-owner.ts'
import type { FilesContext } from '../files-context.ts'
import { keepProduced } from '../keep/keep-produced.ts'
import { keepExamined, keepReceived } from '../keep/keep-received.ts'
import type { KeptFile } from '../kept-file.ts'
import { selectFile, selectProducedMedia, selectTaskVideo } from '../queries.ts'
import { fetchReference } from '../receive/fetch-reference.ts'
import { isDataUri, receiveDataUri } from '../receive/receive-data-uri.ts'
import type { ReceivedFile } from '../received-file.ts'
import { refusedReference } from '../refused-reference.ts'

/** Who asks for a reference, and in which field of the request. */
export interface Asking {
  /** Whose files and tasks it may name. */
  readonly owner: FileOwner
  readonly field: string
  /** The files of the form that the request is. They are left where they are. */
  readonly uploads: ReadonlyMap<string, ReceivedFile>
  readonly signal: AbortSignal
}

export interface FoundReference {
  readonly file: KeptFile
  /** The task whose video it is. */
  readonly taskId?: TaskId
  /** Set where the request named a file by its id or its link, and not just bytes. */
  readonly namedFile?: FileId
}

/**
 * Finds a reference and keeps it for its owner.
 * @throws Refusal that names the field and says what is wrong. What belongs to another account, or to this one in the other mode, is as absent as what
 *   never was.
 */
export async function findReference(
  context: FilesContext,
  asking: Asking,
  origin: ReferenceOrigin,
): Promise<FoundReference> {
  switch (origin.kind) {
    case 'file':
      return await findFile(context, asking, parseId('file', origin.id))
    case 'task':
      return await findTask(context, asking, parseTaskId(origin.id))
    case 'upload': {
      const received = asking.uploads.get(origin.part)
      if (received === undefined) throw new Error(`the form has no file in ${origin.part}`)
      return { file: await keepExamined(context, { ...asking, received }) }
    }
    case 'url':
      return (await findLinked(context, asking, origin.url)) ?? (await fetchUrl(context, asking, origin.url))
  }
}

async function findFile(context: FilesContext, asking: Asking, id: FileId | undefined): Promise<FoundReference> {
  const { owner, field } = asking
  const found = id === undefined ? undefined : await selectFile(context.db, owner.wallet, id)
  if (found === undefined || found.state === 'deleted') {
    throw refusedReference({ field, wrong: 'names no file of this account', allowed: 'a file that was uploaded' })
  }
  if (found.state === 'expired') {
    const wrong = `names a file that expired at ${found.file.expiresAt.toISOString()}`
    throw refusedReference({ field, wrong, allowed: 'a file that has not expired; upload it again' })
  }
  return { file: found.file, namedFile: found.file.id }
}

/** How the state of a task that has no video is told. */
const WITHOUT_VIDEO: Readonly<Record<Exclude<TaskState, 'succeeded'>, string>> = {
  queued: 'has not finished yet',
  submitting: 'has not finished yet',
  running: 'has not finished yet',
  collecting: 'has not finished yet',
  failed: 'has failed',
  canceled: 'was canceled',
  expired: 'has expired',
}

async function findTask(context: FilesContext, asking: Asking, id: TaskId | undefined): Promise<FoundReference> {
  const { owner, field, signal } = asking
  const allowed = 'a task that has succeeded and whose video is still kept'
  const found = id === undefined ? undefined : await selectTaskVideo(context.db, owner.wallet, id)
  if (found === undefined) throw refusedReference({ field, wrong: 'names no task of this account', allowed })
  const { state, video } = found
  if (state !== 'succeeded') {
    throw refusedReference({ field, wrong: `names a task that ${WITHOUT_VIDEO[state]}`, allowed })
  }
  if (video === undefined) throw new Error(`the task ${id} has succeeded without a video`)
  return { file: await keepProduced(context, { owner, media: video, field, signal }), taskId: video.taskId }
}

/** Our own links never go over the network: they name what they lead to. `undefined` for any other URL. */
async function findLinked(context: FilesContext, asking: Asking, url: string): Promise<FoundReference | undefined> {
  const { owner, field, signal } = asking
  const link = context.links.read(url)
  if (link === undefined) return undefined
  if (link.verdict === 'expired') {
    const wrong = `is a link that expired at ${new Date(link.expires * 1000).toISOString()}`
    throw refusedReference({ field, wrong, allowed: 'a link that has not expired; read the file or task again' })
  }
  const target = link.verdict === 'valid' ? linkTargetOf(link) : undefined
  if (target?.kind === 'file') return await findFile(context, asking, target.id)
  const media = target === undefined ? undefined : await selectProducedMedia(context.db, owner.wallet, target.id)
  if (media === undefined) {
    const allowed = 'a link to a file or video of this account, exactly as it was given'
    throw refusedReference({ field, wrong: 'names no file of this account', allowed })
  }
  const file = await keepProduced(context, { owner, media, field, signal })
  return media.kind === 'video' ? { file, taskId: media.taskId } : { file }
}

async function fetchUrl(context: FilesContext, asking: Asking, url: string): Promise<FoundReference> {
  const { owner, field, signal } = asking
  const receive = () =>
    isDataUri(url)
      ? receiveDataUri(url, { directory: context.scratch, name: '', signal })
      : fetchReference(context, { url, field, signal })
  return { file: await keepReceived(context, { owner, field, signal, receive }) }
}
