import { access, constants, mkdtemp, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { newId } from '../canonical/ids.ts'
import { loadCatalog } from '../catalog/load.ts'
import type { Config } from '../config/config.ts'
import { readConfig } from '../config/read-config.ts'
import { selectInstallation } from '../db/installation.ts'
import type { Violation } from '../ledger/invariants.ts'
import { proveLedger } from '../ledger/prove.ts'
import { openStore } from '../media/open-store.ts'
import { probeVideo } from '../media/probe.ts'
import { readStoreIdentity } from '../media/store-identity.ts'
import { createAnimaticProvider } from '../providers/animatic/adapter.ts'
import { selectOverdue } from '../tasks/operator-queries.ts'
import { makeDataDirectory } from './data-directory.ts'
import { openDatabase } from './open-database.ts'
import { type OutputOptions, print } from './output.ts'
import { parkedLines, unconfiguredLines } from './parked-lines.ts'
import { readOpenWork, storeName } from './recognize-installation.ts'

interface Check {
  readonly name: string
  /** What to do when it fails. */
  readonly advice: string
  /** The check before it without which this one would only fail for the same reason, and give advice that misleads. */
  readonly needs?: string
  /** Returns what was found, or why it could not be examined; throws what is wrong. */
  readonly run: (config: Config) => Promise<string | Unexamined>
}

interface Unexamined {
  readonly notExamined: string
  /** How to have it examined. */
  readonly advice: string
}

interface Finding {
  readonly name: string
  readonly ok: boolean
  /** What is not examined is not known to be well, nor to be wrong. */
  readonly outcome: 'ok' | 'failed' | 'not examined'
  readonly found: string
  readonly advice: string | undefined
}

/** Less free space than this holds some hundred videos: an operator should know before it is gone. */
const LOW_DISK_BYTES = 1024 ** 3

/** Rows that break a rule of the ledger and are shown; one fault often shows in several. */
const SHOWN_VIOLATIONS = 10

/** Overdue tasks that are shown; one fault often has many. */
const SHOWN_OVERDUE = 10

/** A test video of one second renders in a few; a machine that needs longer has something wrong. */
const RENDER_PATIENCE_MS = 60_000

/** Exit statuses: something is wrong; or nothing is known to be, but not everything could be examined. */
const EXIT_FAILED = 1
const EXIT_NOT_EXAMINED = 3

/** `reelay doctor`: asks each part whether it works, and says what to do about one that does not. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check each part and say what to do')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const config = readConfig(process.env)
      const findings: Finding[] = []
      for (const check of CHECKS) {
        const missing = findings.find(({ name, ok }) => !ok && name === check.needs)
        findings.push(missing === undefined ? await examine(check, config) : skipped(check, missing))
      }
      const healthy = findings.every((finding) => finding.ok)
      print(options, { healthy, checks: findings }, findings.flatMap(lines))
      process.exitCode = healthy ? 0 : hasFailed(findings) ? EXIT_FAILED : EXIT_NOT_EXAMINED
    })
}

async function examine({ name, advice, run }: Check, config: Config): Promise<Finding> {
  try {
    const found = await run(config)
    if (typeof found === 'string') return { name, ok: true, outcome: 'ok', found, advice: undefined }
    return { name, ok: false, outcome: 'not examined', found: found.notExamined, advice: found.advice }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { name, ok: false, outcome: 'failed', found, advice }
  }
}

/** What it needs is not well: that is what the command's exit status tells. */
function skipped({ name }: Check, missing: Finding): Finding {
  const found = `not examined: first mend the ${missing.name}`
  return { name, ok: false, outcome: missing.outcome, found, advice: undefined }
}

function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ outcome }) => outcome === 'failed')
}

const MARKS: Readonly<Record<Finding['outcome'], string>> = { ok: 'ok  ', failed: 'FAIL', 'not examined': '?   ' }

function lines({ name, outcome, found, advice }: Finding): string[] {
  const line = `${MARKS[outcome]}  ${name.padEnd(14)} ${found}`
  return advice === undefined ? [line] : [line, `                      ${advice}`]
}

const CHECKS: readonly Check[] = [
  {
    name: 'node',
    advice: 'Install Node 20.19 or newer.',
    run: async () => {
      const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
      if (major < 20 || (major === 20 && minor < 19)) throw new Error(`Node ${process.versions.node} is too old`)
      return `Node ${process.versions.node}`
    },
  },
  {
    name: 'data directory',
    advice: 'Make it writable for this user and free some space, or set REELAY_DATA_DIR to another directory.',
    run: async ({ dataDirectory }) => {
      await makeDataDirectory(dataDirectory)
      await access(dataDirectory, constants.W_OK)
      const { bavail, bsize } = await statfs(dataDirectory)
      const free = bavail * bsize
      if (free < LOW_DISK_BYTES) throw new Error(`only ${Math.round(free / 1024 ** 2)} MB are free in ${dataDirectory}`)
      return `${dataDirectory}, ${Math.round(free / 1024 ** 3)} GB free`
    },
  },
  {
    name: 'database',
    needs: 'data directory',
    advice: 'Check DATABASE_URL, or the log in the data directory under postgres/.',
    run: async (config) => {
      await using database = await openDatabase(config, 'command')
      const { rows } = await database.pool.query<{ server_version: string }>('show server_version')
      const kind = config.databaseUrl === undefined ? 'embedded' : 'DATABASE_URL'
      return `PostgreSQL ${rows[0]?.server_version ?? '?'} (${kind}), schema up to date`
    },
  },
  {
    name: 'ledger',
    needs: 'database',
    advice: 'Stop Reelay, keep the data as it is, and find out what wrote to the database beside Reelay.',
    run: async (config) => {
      await using database = await openDatabase(config, 'command')
      const proof = await proveLedger(database.connection)
      switch (proof.kind) {
        case 'sound':
          return 'every balance is the sum of its entries'
        case 'not_examined': {
          const advice = 'Nothing is known to be wrong with the ledger: run "reelay doctor" again.'
          return { notExamined: `not examined: ${proof.reason}`, advice }
        }
        case 'violated': {
          const shown = proof.violations.slice(0, SHOWN_VIOLATIONS).map(inWords)
          const more = proof.violations.length - shown.length
          throw new Error([...shown, ...(more === 0 ? [] : [`and ${more} more`])].join('; '))
        }
      }
    },
  },
  {
    name: 'overdue tasks',
    needs: 'database',
    advice:
      'The log of the worker has the cause of each ("an overdue task cannot be ended"). Their credits stay on hold.',
    run: async (config) => {
      await using database = await openDatabase(config, 'command')
      const overdue = await selectOverdue(database.pool, SHOWN_OVERDUE)
      if (overdue.length > 0) throw new Error(`these tasks could not be ended at their deadline: ${overdue.join(', ')}`)
      return 'no queued task is past its deadline'
    },
  },
  {
    name: 'open work',
    needs: 'database',
    advice:
      '"reelay tasks parked" lists the tasks; a restore’s wait for you, the others for their provider in reelay.config.json.',
    run: async (config) => {
      await using database = await openDatabase(config, 'command')
      const { restored, unconfigured } = await readOpenWork(database.pool)
      const lines = [...parkedLines(restored), ...unconfiguredLines(unconfigured)]
      if (lines.length > 0) throw new Error(lines.join(' '))
      return 'no task or delivery waits for an operator after a restore, or for a provider that no worker has'
    },
  },
  {
    name: 'catalog',
    advice: 'Mend the file that is named.',
    run: async () => {
      const catalog = loadCatalog()
      return [...catalog].map(([dialect, models]) => `${dialect}: ${[...models.keys()].join(', ')}`).join('; ')
    },
  },
  {
    name: 'store',
    needs: 'database',
    advice: 'Make media/ in the data directory writable for this user, or check REELAY_STORE, REELAY_S3_* and AWS_*.',
    run: async (config) => {
      const { dataDirectory, store: bucket } = config
      const { media } = await makeDataDirectory(dataDirectory)
      await using store = await openStore(bucket, config.mediaDirectory ?? media)
      await store.check()
      const identity = await readStoreIdentity(store)
      await using database = await openDatabase(config, 'command')
      const installation = await selectInstallation(database.pool)
      if (identity !== undefined && installation !== undefined && identity.installation !== installation.id) {
        throw new Error(
          `${storeName(config)} belongs to the installation ${identity.installation}, and the database to ${installation.id}`,
        )
      }
      return `a file was written, read and deleted in ${bucket === undefined ? storeName(config) : `the bucket ${bucket.name}`}`
    },
  },
  {
    name: 'renderer',
    advice: 'Run "npm ci" again; without node-av, an ffmpeg on the PATH will do.',
    run: renderTestVideo,
  },
]

function inWords({ rule, subject, found }: Violation): string {
  return `${rule}: ${subject}, ${found}`
}

async function renderTestVideo(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-doctor-'))
  try {
    await using provider = createAnimaticProvider({ directory, concurrency: 1 })
    const signal = AbortSignal.timeout(RENDER_PATIENCE_MS)
    const request = {
      model: 'doctor',
      operation: 'generate',
      references: [],
      prompt: 'sea',
      durationSeconds: 1,
      resolution: '480p',
      aspectRatio: '1:1',
      mode: 'normal',
      seed: 1,
    } as const
    const context = { openReference: () => Promise.reject(new Error('the request has no references')), signal }
    const started = await provider.start(request, { ...context, token: newId('att'), keep: async () => {} })
    if (started.kind !== 'accepted') throw new Error(`the renderer answered ${started.kind}`)
    for (;;) {
      const outcome = await provider.poll(started.operation, context)
      if (outcome.kind === 'failed') throw new Error(outcome.failure.message)
      if (outcome.kind === 'succeeded') {
        const [asset] = outcome.assets
        const path = asset !== undefined && 'path' in asset ? asset.path : ''
        const { frameCount } = await probeVideo(path)
        return `${frameCount} frames, ${Math.round((await stat(path)).size / 1024)} KB`
      }
      await delay(100, undefined, { signal })
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
