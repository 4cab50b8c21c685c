/**
 * Jobs that a provider has accepted and that are not in the database yet, on this machine's disk. Each process appends to
 * a file of its own below one folder; the next start takes up what is left there. A line is a checksum and a job; a line
 * that was torn by a crash, or damaged, is told and dropped.
 *
 * Two processes on one folder lose nothing: whoever takes a file up first renames it and then reads it, and whoever
 * appends looks after each write whether the file still has its name. If not, it writes all that it keeps into a new one.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type AttemptId, parseId, type TaskId } from '../canonical/ids.ts'
import { isJsonObject, type JsonObject } from '../canonical/json.ts'
import { isMissing } from '../media/is-missing.ts'

/** A file that has grown beyond this, by jobs that have long been saved, is written anew without them. */
const COMPACT_BYTES = 1024 * 1024

const ACTIVE = '.jsonl'
/** Of files whose writer is gone, or has turned to another: they are only read. */
const TAKEN_UP = '.taken'

/** Characters of a line's checksum: a damaged line passes once in 2^64. */
const CHECKSUM_CHARACTERS = 16

/** A job that a provider has accepted. */
export interface AcceptedJob {
  readonly task: TaskId
  readonly attempt: AttemptId
  /** The provider's id. */
  readonly provider: string
  /** The upstream's ids of the job; it holds no secret. */
  readonly operation: JsonObject
}

/** What earlier processes left in a journal. */
export interface LeftJobs {
  readonly jobs: readonly AcceptedJob[]
  /** Lines that could not be read. */
  readonly damagedLines: number
  /** To be called once every job is in the database: deletes the files. */
  readonly forget: () => Promise<void>
}

interface JournalFile {
  readonly handle: FileHandle
  readonly path: string
  readonly inode: bigint
  sizeBytes: number
}

export class AcceptedJournal implements AsyncDisposable {
  readonly #folder: string
  /** The lines of jobs that are not in the database yet. */
  readonly #kept = new Map<AttemptId, string>()
  #queued: string[] = []
  #file: JournalFile | undefined
  /** Whether the file ends with a whole line, as far as is known. */
  #isWhole = true
  #flush: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  /** `folder` is made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Answers once the job is on stable storage. Jobs that come while others are being written share one write. Throws what the
   * disk says; the job is then written with the next one.
   */
  append(job: AcceptedJob): Promise<void> {
    const line = lineOf(job)
    this.#kept.set(job.attempt, line)
    this.#queued.push(line)
    this.#flush ??= this.#inTurn(() => {
      this.#flush = undefined
      return this.#writeQueued()
    })
    return this.#flush
  }

  /** The job is in the database. */
  remove(attempt: AttemptId): void {
    if (this.#kept.delete(attempt) && this.#kept.size === 0) void this.#inTurn(() => this.#empty()).catch(() => {})
  }

  /** What lies in the folder from processes before. To be called before anything is appended. */
  async takeUp(): Promise<LeftJobs> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const jobs = new Map<AttemptId, AcceptedJob>()
    const paths: string[] = []
    let damagedLines = 0
    for (const name of await readdir(this.#folder)) {
      const path = await this.#takeUpFile(name)
      if (path === undefined) continue
      paths.push(path)
      const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
      for (const job of lines.map(jobOf)) {
        if (job === undefined) damagedLines += 1
        else jobs.set(job.attempt, job)
      }
    }
    const forget = async () => {
      for (const path of paths) await rm(path, { force: true })
    }
    return { jobs: [...jobs.values()], damagedLines, forget }
  }

  /** Leaves its file behind if jobs in it are not saved. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    await file.handle.close()
    if (this.#kept.size === 0) await rm(file.path, { force: true })
  }

  /** One after the other, whatever becomes of the one before. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #writeQueued(): Promise<void> {
    const queued = this.#queued
    this.#queued = []
    const file = this.#file
    if (file === undefined || !this.#isWhole || this.#isOvergrown(file)) return await this.#renew()
    const bytes = Buffer.from(queued.join(''))
    this.#isWhole = false
    await file.handle.appendFile(bytes)
    await file.handle.datasync()
    this.#isWhole = true
    file.sizeBytes += bytes.length
    if (!(await hasItsName(file))) await this.#renew()
  }

  #isOvergrown({ sizeBytes }: JournalFile): boolean {
    if (sizeBytes <= COMPACT_BYTES) return false
    const keptBytes = [...this.#kept.values()].reduce((sum, line) => sum + Buffer.byteLength(line), 0)
    return sizeBytes > 2 * keptBytes
  }

  /** Writes all that is kept into a new file. The old one stays until the new one is on stable storage. */
  async #renew(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, `${randomUUID()}${ACTIVE}`)
    const handle = await open(path, 'ax', 0o600)
    try {
      const bytes = Buffer.from([...this.#kept.values()].join(''))
      await handle.appendFile(bytes)
      await handle.datasync()
      await syncFolder(this.#folder)
      const { ino } = await handle.stat({ bigint: true })
      await this.#replaceBy({ handle, path, inode: ino, sizeBytes: bytes.length })
    } catch (error) {
      await handle.close()
      await rm(path, { force: true })
      throw error
    }
  }

  async #replaceBy(next: JournalFile): Promise<void> {
    const old = this.#file
    this.#file = next
    this.#isWhole = true
    if (old === undefined) return
    await old.handle.close().catch(() => {})
    // Should it stay, the next start finds jobs that are saved, or in the new file, too.
    if (await hasItsName(old)) await rm(old.path, { force: true }).catch(() => {})
  }

  /** Nothing is to be kept: the file is emptied. Should the disk refuse, the next start finds jobs that are saved. */
  async #empty(): Promise<void> {
    const file = this.#file
    if (file === undefined || this.#kept.size > 0 || file.sizeBytes === 0) return
    await file.handle.truncate(0)
    file.sizeBytes = 0
    this.#isWhole = true
  }

  /** Makes a file of another process, or of an earlier one, ours to read; `undefined`: it is no journal, or another was first. */
  async #takeUpFile(name: string): Promise<string | undefined> {
    const path = join(this.#folder, name)
    if (name.endsWith(TAKEN_UP)) return path
    if (!name.endsWith(ACTIVE)) return undefined
    const taken = `${path}${TAKEN_UP}`
    try {
      await rename(path, taken)
      return taken
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

async function hasItsName({ path, inode }: JournalFile): Promise<boolean> {
  const there = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  return there?.ino === inode
}

/** Makes the name of a new file durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

const jobSchema = z.object({
  task: z.custom<TaskId>((id) => typeof id === 'string' && parseId('task', id) !== undefined),
  attempt: z.custom<AttemptId>((id) => typeof id === 'string' && parseId('att', id) !== undefined),
  provider: z.string(),
  operation: z.custom<JsonObject>(isJsonObject),
})

function lineOf(job: AcceptedJob): string {
  const { task, attempt, provider, operation } = job
  const json = JSON.stringify({ task, attempt, provider, operation })
  return `${checksumOf(json)} ${json}\n`
}

/** `undefined`: the line was torn or damaged. */
function jobOf(line: string): AcceptedJob | undefined {
  const json = line.slice(CHECKSUM_CHARACTERS + 1)
  if (line.slice(0, CHECKSUM_CHARACTERS) !== checksumOf(json)) return undefined
  return jobSchema.safeParse(JSON.parse(json)).data
}

function checksumOf(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, CHECKSUM_CHARACTERS)
}
