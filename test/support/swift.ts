/**
 * A bucket of one's own: OpenStack Swift with its S3 interface, on free loopback ports, in a temporary folder. It checks
 * signatures. Debian's `python3-swift` is enough (libraries alone, no service); root gets it installed, once, in some 20
 * seconds. Where there is none, tests say `skip: swiftMissing`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { Bucket } from '../../src/canonical/bucket.ts'
import { waitFor } from './patience.ts'

/** Debian's own: another Python on the PATH does not see Debian's packages. */
const PYTHON = '/usr/bin/python3'
const SERVER = fileURLToPath(new URL('./swift-server.py', import.meta.url))

/** Another test file may be installing at the same time. */
const APT_LOCK_SECONDS = 120
const INSTALL = `-o DPkg::Lock::Timeout=${APT_LOCK_SECONDS} install -q -y --no-install-recommends python3-swift`

export const SWIFT_KEY = 'reelay:tester'
export const SWIFT_SECRET = 'secret-of-the-tests'
export const SWIFT_REGION = 'us-east-1'

/** Why tests with a bucket cannot run here; `false` where they can. */
export const swiftMissing: string | false =
  hasSwift() || installSwift() ? false : 'there is no Swift here (Debian: apt-get install python3-swift)'

function hasSwift(): boolean {
  return spawnSync(PYTHON, ['-c', 'import swift.common.middleware.s3api']).status === 0
}

function installSwift(): boolean {
  if (process.getuid?.() !== 0) return false
  const apt = (args: string) =>
    spawnSync('apt-get', args.split(' '), { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0
  // A fresh machine knows no packages yet.
  return (apt(INSTALL) || (apt('update -q') && apt(INSTALL))) && hasSwift()
}

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export class TestSwift implements AsyncDisposable {
  readonly endpoint: string
  readonly #folder: string
  readonly #child: ChildProcess
  /** To look inside with. */
  readonly client: S3Client

  private constructor(about: { port: number; folder: string; child: ChildProcess }) {
    this.endpoint = `http://127.0.0.1:${about.port}`
    this.#folder = about.folder
    this.#child = about.child
    this.client = new S3Client({
      endpoint: this.endpoint,
      region: SWIFT_REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: SWIFT_KEY, secretAccessKey: SWIFT_SECRET },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  static async start(): Promise<TestSwift> {
    const folder = await mkdtemp(join(tmpdir(), 'reelay-swift-'))
    const child = spawn(PYTHON, [SERVER, folder, SWIFT_KEY, SWIFT_SECRET], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const port = await waitFor('Swift to start', () => {
      if (child.exitCode !== null) throw new Error('Swift did not start; it says why above')
      return /ready (\d+)\n/.exec(said)?.[1]
    })
    return new TestSwift({ port: Number(port), folder, child })
  }

  /** An empty bucket, as a place that a store can open. */
  async makeBucket(name: string, prefix = ''): Promise<Bucket> {
    await this.client.send(new CreateBucketCommand({ Bucket: name }))
    const credentials = { accessKeyId: SWIFT_KEY, secretAccessKey: SWIFT_SECRET, sessionToken: undefined }
    return { name, prefix, endpoint: this.endpoint, region: SWIFT_REGION, isInPath: true, credentials }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy()
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await exited
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}
