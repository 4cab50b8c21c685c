import type { AccountId } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'
import { runInProcess } from '../../isolation/run-in-process.ts'
import { NoTurn, Turns } from '../../isolation/turns.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import type { run } from './examination.ts'
import { WastedTurns } from './wasted-turns.ts'

/** Files looked into at a time, each in a process. A picture of the largest size costs 200 MB and a second while it is. */
const EXAMINED_AT_ONCE = 2

/** However many files an account sends, and however long they take, another one finds a place. */
const EXAMINED_OF_ACCOUNT = 1

/** Of one account: each holds a file on this disk. Eight requests with four references each may come at once. */
const WAITING_OF_ACCOUNT = 32
const RETRY_SECONDS = 10

/** The largest file is looked into in a second or two, with a slow disk and a busy machine in ten. */
const TIMEOUT_MS = 10_000

const turns = new Turns<AccountId>({
  atOnce: EXAMINED_AT_ONCE,
  ofOneKey: EXAMINED_OF_ACCOUNT,
  waitingOfOneKey: WAITING_OF_ACCOUNT,
})
const wastedTurns = new WastedTurns()

export interface Examining {
  /** Whose file it is: accounts take turns. */
  readonly account: AccountId
  /** Aborts when nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Looks into a received file, in a process of its own: that it is whole, one thing only, can be read, and is within the
 * limits. What lies behind its end is cut off, so its size and hash may differ from what was received; so may its kind
 * and type: only the tracks of an MP4 tell whether it is a video or sound.
 * @throws FileRefused, also where its process takes more time or memory than any real file does, or crashes; Refusal
 *   where the account has too many that wait, or has sent several that took too long; the signal's reason, where nobody
 *   waits for it any more before it has begun.
 */
export async function examineFile(file: ReceivedFile, { account, signal }: Examining): Promise<ExaminedFile> {
  wastedTurns.check(account)
  try {
    return await turns.run(() => examineInProcess(file, account), { key: account, signal })
  } catch (error) {
    if (!(error instanceof NoTurn)) throw error
    const message = `${WAITING_OF_ACCOUNT} files of this account wait to be looked into; try again when there are fewer.`
    throw new Refusal('rate_limited', message, { cause: error, retryAfterSeconds: RETRY_SECONDS })
  }
}

async function examineInProcess(file: ReceivedFile, account: AccountId): Promise<ExaminedFile> {
  // Again: what came before this file in the line may have taken too long.
  wastedTurns.check(account)
  const work = { module: import.meta.resolve('./examination.ts'), input: file, timeoutMs: TIMEOUT_MS }
  const outcome = await runInProcess<typeof run>(work)
  if (outcome.kind !== 'answered') {
    wastedTurns.note(account)
    const why = outcome.kind === 'crashed' ? 'cannot be read' : 'cannot be read in time'
    const found = `${calledOf(file.mimeType)} that is damaged and ${why}`
    throw new FileRefused('broken', { found, allowed: 'whole files' }, { cause: outcome.cause })
  }
  const { answer } = outcome
  if (answer.kind === 'refused') throw new FileRefused(answer.reason, answer)
  return answer.file
}
