/**
 * PostgreSQL refuses to run as root, and Reelay is often started as root (a container, a fresh machine). The rule: it
 * runs as the owner of its directory. A directory that root owns is served from a user namespace in which root is
 * called nobody, so nothing changes hands; where namespaces are forbidden (most containers), the directory is given to
 * an unprivileged user instead, and keeps that owner from then on.
 *
 * `initdb` also refuses a user whose number has no name (a container run with `--user 12345`), wherever it gets its
 * own name from. So the namespace calls such a user nobody too, which is the one name that every Linux has.
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { lchown, readdir, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** As whom a program of PostgreSQL's is run. */
export type RunAs =
  /** As whoever Reelay is. */
  | { readonly kind: 'self' }
  /** As Reelay's user under the name of nobody: real files stay that user's. */
  | { readonly kind: 'namespace' }
  /** As another user, who needs to own the directory and to reach it. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }

/** "nobody" on every current Linux; no account needs to be created. */
const UNPRIVILEGED_ID = 65_534

const NAMESPACE = ['unshare', '-U', `--map-user=${UNPRIVILEGED_ID}`, `--map-group=${UNPRIVILEGED_ID}`] as const

/**
 * Decides as whom PostgreSQL runs in `directory`, which exists.
 * @param allowNamespace `never` makes the choice of a container without user namespaces.
 */
export async function chooseRunAs(directory: string, allowNamespace: 'if-possible' | 'never'): Promise<RunAs> {
  const inNamespace = async (): Promise<boolean> => allowNamespace === 'if-possible' && (await namespacesWork())
  if (process.getuid?.() !== 0) return hasName() || !(await inNamespace()) ? { kind: 'self' } : { kind: 'namespace' }
  const owner = await stat(directory)
  if (owner.uid !== 0) return { kind: 'user', uid: owner.uid, gid: owner.gid }
  if (await inNamespace()) return { kind: 'namespace' }
  return { kind: 'user', uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }
}

/**
 * Gives everything in `path` to the user, who must also be able to come to it. Does nothing for the other kinds, nor if
 * it is the user's already: to change owners in a directory that an ordinary user can write to would let that user
 * slip root's files in.
 */
export async function handOver(path: string, runAs: RunAs): Promise<void> {
  if (runAs.kind !== 'user') return
  const closed = await closedAncestor(path, runAs)
  if (closed !== undefined) {
    throw new EmbeddedPostgresError(
      'directory_not_accessible',
      `Reelay runs as root, which PostgreSQL refuses, so PostgreSQL runs as user ${runAs.uid}, and ${closed} is closed to that user. ` +
        `Run Reelay as an ordinary user, choose a data directory elsewhere, or open it: chmod o+x ${closed}`,
    )
  }
  if ((await stat(path)).uid !== runAs.uid) await giveTree(path, runAs)
}

/** Starts a program as decided; the options' `uid` and `gid` are set here. */
export function spawnAs(runAs: RunAs, program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (runAs.kind === 'user') return spawn(program, args, { ...options, uid: runAs.uid, gid: runAs.gid })
  if (runAs.kind === 'self') return spawn(program, args, options)
  // `unshare` becomes the program (it does not fork), so the child's number is the program's, and signals reach it.
  const [unshare, ...namespaceArgs] = NAMESPACE
  return spawn(unshare, [...namespaceArgs, program, ...args], options)
}

/** Whether the system knows Reelay's user by more than a number. */
function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function namespacesWork(): Promise<boolean> {
  const [unshare, ...args] = NAMESPACE
  return promisify(execFile)(unshare, [...args, 'true']).then(
    () => true,
    () => false,
  )
}

async function closedAncestor(path: string, user: { uid: number; gid: number }): Promise<string | undefined> {
  const parent = dirname(path)
  if (parent === path) return undefined
  const above = await closedAncestor(parent, user)
  if (above !== undefined) return above
  const { mode, uid, gid } = await stat(parent)
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
  return ((mode >> shift) & 1) === 1 ? undefined : parent
}

async function giveTree(path: string, user: { uid: number; gid: number }): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), user.uid, user.gid)
  }
  // Last, for it says that all the rest is done.
  await lchown(path, user.uid, user.gid)
}
