/** The Files API: uploads, reads, lists and deletes the files of an account, whatever the dialect. */
import type { KeyHolder } from '../accounts/queries.ts'
import type { CustomerFile, FilePage } from '../canonical/customer-file.ts'
import type { FileId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { resolveModel } from '../catalog/resolve.ts'
import type { FileListInput, StatedFile, UploadInput } from '../dialects/dialect.ts'
import { type Examining, examineFile } from '../files/examine/examine-file.ts'
import { fileOwnerOf } from '../files/file-owner.ts'
import { FileRefused } from '../files/file-refused.ts'
import { keepFile } from '../files/keep/keep-file.ts'
import type { KeptFile } from '../files/kept-file.ts'
import { markFileDeleted, selectFile, selectFiles } from '../files/queries.ts'
import type { ExaminedFile, ReceivedFile } from '../files/received-file.ts'
import { refusedReference } from '../files/refused-reference.ts'
import { checkUpload } from './check-upload.ts'
import type { Reader } from './database-turns.ts'
import { listPage } from './list-page.ts'
import type { Platform } from './platform.ts'
import { refusalOfFile } from './refusal-of-file.ts'

export interface UploadRequest {
  readonly holder: KeyHolder
  readonly dialect: string
  readonly input: UploadInput
  readonly uploads: ReadonlyMap<string, ReceivedFile>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Examines and keeps a file that came in a form. What is wrong without looking into it is refused first. */
export async function uploadFile(platform: Platform, asked: UploadRequest): Promise<StatedFile> {
  const { holder, dialect, input, uploads, signal } = asked
  const { part, kind } = input
  const model = input.model === undefined ? undefined : resolveModel(platform.catalog, dialect, input.model)
  const received = uploads.get(part)
  if (received === undefined) {
    throw refusedReference({ field: part, wrong: 'is required', allowed: 'a file in a multipart form' })
  }
  if (received.kind !== kind) {
    const wrong = `cannot be used: the file is ${received.mimeType}`
    throw refusedReference({ field: part, wrong, allowed: `a file of the kind ${kind}, as kind says` })
  }
  const owner = fileOwnerOf(holder)
  const file = await inWordsOf(part, () => examined(received, { account: owner.account, signal }))
  checkUpload(file, { part, model, kinds: input.kinds })
  const kept = await inWordsOf(part, () => keepFile(platform.files, { owner, purpose: 'upload', file }))
  return await stated(platform, holder, kept)
}

async function examined(file: ReceivedFile, examining: Examining): Promise<ExaminedFile> {
  try {
    return await examineFile(file, examining)
  } catch (error) {
    if (examining.signal?.aborted !== true) throw error
    throw new Refusal('unavailable', 'The request was given up before its file was looked into.')
  }
}

async function inWordsOf<T>(part: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof FileRefused ? refusalOfFile(part, error) : error
  }
}

/** With our statement of how long it is, where it has a length. */
async function stated({ files }: Platform, { account }: KeyHolder, file: KeptFile): Promise<StatedFile> {
  const { id, sha256, durationSeconds, expiresAt } = file
  if (durationSeconds === undefined) return { file, durationToken: undefined }
  const claims = { account: account.id, fileId: id, sha256, durationSeconds, expiresAt }
  return { file, durationToken: await files.durationTokens.sign(claims) }
}

export async function getFile(platform: Platform, holder: KeyHolder, id: FileId): Promise<StatedFile> {
  const wallet = holder.walletId
  const found = await platform.databaseTurns.run(wallet, (db) => selectFile(db, wallet, id))
  if (found?.state === 'kept') return await stated(platform, holder, found.file)
  if (found?.state !== 'expired') throw notFound()
  throw new Refusal('file_not_found', `The file expired on ${found.file.expiresAt.toISOString()}.`)
}

export async function listFiles(platform: Platform, reader: Reader, asked: FileListInput): Promise<FilePage> {
  const { limit, after } = asked
  const filter = { wallet: reader.wallet, after, limit: limit + 1 }
  const found = await listPage(platform, reader, (db) => selectFiles(db, filter))
  return { files: found.slice(0, limit), hasMore: found.length > limit }
}

export async function deleteFile(
  platform: Platform,
  { walletId: wallet }: KeyHolder,
  id: FileId,
): Promise<CustomerFile> {
  const deleted = await platform.databaseTurns.run(wallet, (db) => markFileDeleted(db, wallet, id))
  if (deleted === undefined) throw notFound()
  return deleted
}

function notFound(): Refusal {
  return new Refusal('file_not_found', 'There is no such file.')
}
