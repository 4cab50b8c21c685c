/**
 * PostgreSQL's own lock files: `postmaster.pid` in the cluster, and one beside the socket. PostgreSQL removes them when
 * it stops, and believes one as long as any process of the same user has the number in it. Two things make it lie: the
 * number went to another program, or the postmaster is dead and its parent has not reaped it (in a container whose
 * process 1 never reaps, for ever). PostgreSQL then refuses to start, so such files are taken out of the way here.
 */
import { execFile } from 'node:child_process'
import { link, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SOCKET_PORT } from './layout.ts'

/** The lines of either file that matter (PostgreSQL's `utils/pidfile.h`). */
export interface PostmasterFile {
  readonly path: string
  /** Absent for a moment between the file's creation and its first line; and for ever, if power failed in that moment. */
  readonly pid: number | undefined
  readonly writtenAtMs: number
  readonly cluster: string
  /** Absent during the first moments of a start. */
  readonly socketDirectory: string | undefined
  /** The whole text, to recognise the same file later. */
  readonly text: string
}

/**
 * What stands behind a file: the `postmaster` of this cluster, be it just beginning or ending; a number that is `gone`
 * from the process table; or nothing that counts: a `stranger` with that number, a zombie, a file that stayed empty.
 */
export type Occupant = 'postmaster' | 'gone' | 'stranger'

/** A file gets its first line within a millisecond of its creation, or, on a machine that hangs, a little later. */
const UNWRITTEN_MAX_AGE_MS = 3_000

/** The lock file of a cluster; `undefined` if there is none. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  return await readLockFile(join(cluster, 'postmaster.pid'))
}

/** The lock file of a socket. */
export async function readSocketFile(socketDirectory: string): Promise<PostmasterFile | undefined> {
  return await readLockFile(join(socketDirectory, `.s.PGSQL.${SOCKET_PORT}.lock`))
}

async function readLockFile(path: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(path, 'utf8').catch(ignoreAbsence)
  const found = await stat(path).catch(ignoreAbsence)
  if (text === undefined || found === undefined) return undefined
  const [pid = '', cluster = '', , , socketDirectory = ''] = text.split('\n')
  return {
    path,
    pid: /^\d+$/.test(pid) ? Number(pid) : undefined,
    writtenAtMs: found.mtimeMs,
    cluster,
    socketDirectory: socketDirectory === '' ? undefined : socketDirectory,
    text,
  }
}

/** Who has the number that the file names. */
export async function occupantOf(file: PostmasterFile, cluster: string): Promise<Occupant> {
  if (file.pid === undefined) return Date.now() - file.writtenAtMs > UNWRITTEN_MAX_AGE_MS ? 'stranger' : 'postmaster'
  if (!isTaken(file.pid)) return 'gone'
  const ours = process.platform === 'linux' ? await worksIn(file.pid, cluster) : await isCalledWith(file.pid, cluster)
  return ours ? 'postmaster' : isTaken(file.pid) ? 'stranger' : 'gone'
}

/** Whether a process runs: not gone, and not a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  if (!isTaken(pid)) return false
  if (process.platform !== 'linux') return true
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name, in parentheses, may hold anything; the state is the first letter after it.
  return line !== undefined && !/\) [ZX] /.test(line.slice(line.lastIndexOf(')')))
}

/**
 * Takes a file that names a stranger out of the way. Two processes may judge the same file while a third has already
 * replaced it: so it is moved, compared, and put back if it is not the one that was judged. (PostgreSQL looks for its
 * file once a minute only, and its shared memory, keyed by the directory, keeps out a second postmaster meanwhile.)
 */
export async function retirePostmasterFile(file: PostmasterFile): Promise<void> {
  const aside = `${file.path}.retired-${process.pid}`
  try {
    await rename(file.path, aside)
  } catch (error) {
    ignoreAbsence(error)
    return
  }
  if ((await readFile(aside, 'utf8')) !== file.text) await link(aside, file.path).catch(() => undefined)
  await rm(aside, { force: true })
}

/** Whether the number is in the process table, be it a zombie's. */
function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A postmaster's working directory is its cluster; a zombie has none. */
async function worksIn(pid: number, cluster: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return cwd !== undefined && cwd === (await realpath(cluster)) && (await isRunning(pid))
}

/** Where there is no /proc: a postmaster of ours was started with its cluster as an argument. */
async function isCalledWith(pid: number, cluster: string): Promise<boolean> {
  const ps = await promisify(execFile)('ps', ['-o', 'command=', '-ww', '-p', String(pid)]).catch(() => undefined)
  return ps?.stdout.includes(cluster) ?? false
}

function ignoreAbsence(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
