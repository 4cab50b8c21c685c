import { isDeepStrictEqual } from 'node:util'
import type { AskedReference, Reference } from '../../canonical/reference.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { FileOwner } from '../file-owner.ts'
import type { FilesContext } from '../files-context.ts'
import type { ReceivedFile } from '../received-file.ts'
import { refusedReference } from '../refused-reference.ts'
import { checkDeclared } from './check-declared.ts'
import { type FoundReference, findReference } from './find-reference.ts'

/** References of one request that are fetched at a time: their servers are slow, and our disk and memory finite. */
const FETCHED_AT_ONCE = 4

/** For all of a request's references together: callers wait, and few wait longer. */
const TIMEOUT_MS = 60_000

export interface Resolution {
  /** Whose files and tasks it may name, and whose files they become. */
  readonly owner: FileOwner
  readonly asked: readonly AskedReference[]
  /** The files of the form that the request is, by their fields. Whoever received them deletes them. */
  readonly uploads: ReadonlyMap<string, ReceivedFile>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Fetches, examines and keeps the files that a request names, in the order of `asked`. One that is named twice is fetched
 * once. The first that cannot be used ends it all; what was kept by then expires by itself, and nothing is left in the
 * scratch folder.
 * @throws Refusal that names the field.
 */
export async function resolveReferences(context: FilesContext, resolution: Resolution): Promise<Reference[]> {
  const { asked } = resolution
  const stop = new AbortController()
  const pending = new Set<AskedReference>()
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    stop.abort()
  }
  const stopWatching = watch(resolution.signal, pending, fail)
  const found = new Map<AskedReference | undefined, Promise<FoundReference>>()
  const find = ({ origin, field }: AskedReference): Promise<FoundReference> => {
    const first = asked.find((other) => isDeepStrictEqual(other.origin, origin))
    const known = found.get(first)
    if (known !== undefined) return known
    const { owner, uploads } = resolution
    const finding = findReference(context, { owner, uploads, field, signal: stop.signal }, origin)
    found.set(first, finding)
    return finding
  }
  const references = new Map<AskedReference, Reference>()
  const queue = asked.values()
  const work = async () => {
    for (const reference of queue) {
      if (failure !== undefined) return
      pending.add(reference)
      try {
        const file = await find(reference)
        await checkDeclared(context.durationTokens, {
          account: resolution.owner.account,
          asked: reference,
          found: file,
        })
        references.set(reference, referenceOf(reference, file))
      } catch (error) {
        fail(error)
      }
      pending.delete(reference)
    }
  }
  try {
    await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, work))
  } finally {
    stopWatching()
  }
  if (failure !== undefined) throw failure
  return asked.flatMap((reference) => references.get(reference) ?? [])
}

/** Fails when the time is over or the caller is gone, until the returned function is called. */
function watch(
  signal: AbortSignal,
  pending: ReadonlySet<AskedReference>,
  fail: (refusal: Refusal) => void,
): () => void {
  const giveUp = () => fail(new Refusal('unavailable', 'The request was given up before its files were there.'))
  const timeUp = () => {
    const [late] = pending
    const wrong = `was not there within ${TIMEOUT_MS / 1000} s`
    fail(refusedReference({ field: late?.field ?? 'references', wrong, allowed: 'files that are fetched faster' }))
  }
  const timer = setTimeout(timeUp, TIMEOUT_MS)
  signal.addEventListener('abort', giveUp)
  if (signal.aborted) giveUp()
  return () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

function referenceOf({ role }: AskedReference, { file, taskId }: FoundReference): Reference {
  const { id: fileId, kind, mimeType, sizeBytes, sha256, storeKey, width, height, durationSeconds } = file
  return {
    role,
    fileId,
    kind,
    mimeType,
    sizeBytes,
    sha256,
    storeKey,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(taskId === undefined ? {} : { taskId }),
  }
}
