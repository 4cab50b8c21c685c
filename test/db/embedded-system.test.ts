import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { locatePackage } from '../../src/db/embedded/binaries.ts'
import { prepareLayout } from '../../src/db/embedded/layout.ts'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { processesIn, startProcess, temporaryDirectory } from './embedded-process.ts'

const root = process.getuid?.() === 0 ? {} : { skip: 'only root has to become another user' }

/** The user that the postmaster runs as, as the system outside of any namespace sees it. */
async function userOf(pid: number): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid
}

/** The package as npm unpacks it when no install script runs: without links. */
async function packageWithoutLinks(path: string): Promise<string> {
  const native = locatePackage()
  await cp(native, join(path, 'native'), {
    recursive: true,
    filter: (file) => !/\.a$|\.so$|so\.\d+$/.test(file) || keeps(file),
  })
  await cp(join(native, '..', 'package.json'), join(path, 'package.json'))
  return join(path, 'native')
}

function keeps(file: string): boolean {
  return /lib\/postgresql\/|lib(crypto|ssl|lzma|ossp-uuid|xml2|xslt|z)\.so/.test(file)
}

test(
  'as root, runs in a user namespace and keeps the files; where there are none any more, hands them over',
  root,
  async () => {
    await using temporary = await temporaryDirectory()
    await chmod(temporary.path, 0o711)
    const directory = join(temporary.path, 'postgres')
    const version = join(directory, 'cluster', 'PG_VERSION')
    {
      await using postgres = await openEmbeddedPostgres({ directory, durable: 'no' })
      assert.equal(await userOf(postgres.pid), 0)
      assert.equal((await stat(version)).uid, 0)
    }
    assert.deepEqual(await processesIn(directory), [])
    await using postgres = await openEmbeddedPostgres({ directory, durable: 'no', userNamespace: 'never' })
    assert.equal(await userOf(postgres.pid), 65_534)
    assert.equal((await stat(version)).uid, 65_534)
  },
)

test('as root without namespaces, runs as an unprivileged user, who keeps the directory', root, async () => {
  await using temporary = await temporaryDirectory()
  await chmod(temporary.path, 0o711)
  const directory = join(temporary.path, 'postgres')
  for (const userNamespace of ['never', 'if-possible'] as const) {
    await using postgres = await openEmbeddedPostgres({ directory, durable: 'no', userNamespace })
    assert.equal(await userOf(postgres.pid), 65_534)
    assert.equal((await stat(join(directory, 'cluster', 'PG_VERSION'))).uid, 65_534)
  }
  assert.deepEqual(await processesIn(directory), [])
})

test('names the directory that the unprivileged user may not enter', root, async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  await assert.rejects(openEmbeddedPostgres({ directory, userNamespace: 'never' }), {
    code: 'directory_not_accessible',
    message: /closed to that user.*chmod o\+x/,
  })
})

test('makes the links that a blocked install script did not', async () => {
  await using temporary = await temporaryDirectory()
  const native = await packageWithoutLinks(join(temporary.path, 'package'))
  const directory = join(temporary.path, 'postgres')
  await using postgres = await openEmbeddedPostgres({ directory, durable: 'no', native })
  assert.equal(postgres.adopted, false)
  assert((await readdir(join(native, 'lib'))).includes('libpq.so.5'))
  assert.deepEqual((await readdir(directory)).sort(), ['cluster', 'postgres.log', 'socket'], 'and copies nothing')
})

test('copies the programs when the installed ones cannot be used', root, async () => {
  await using temporary = await temporaryDirectory()
  await chmod(temporary.path, 0o711)
  const directory = join(temporary.path, 'postgres')
  const native = await packageWithoutLinks(join(temporary.path, 'package'))
  await chmod(join(temporary.path, 'package'), 0o700)
  await using postgres = await openEmbeddedPostgres({ directory, durable: 'no', native, userNamespace: 'never' })
  assert.equal(await userOf(postgres.pid), 65_534)
  assert((await readdir(directory)).some((name) => name.startsWith('programs-18.')))
})

test('a path too long for a socket gets one that every process finds', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'long'.repeat(40), 'postgres')
  await using postgres = await openEmbeddedPostgres({ directory, durable: 'no' })
  const other = startProcess(directory)
  const { adopted, pid } = await other.opened
  assert.deepEqual({ adopted, pid }, { adopted: true, pid: postgres.pid })
  await other.leave()
  const socketDirectory = new URL(postgres.connectionString).searchParams.get('host') ?? ''
  assert(socketDirectory.startsWith(tmpdir()))
  assert.equal((await stat(socketDirectory)).mode & 0o777, 0o700)
  await postgres[Symbol.asyncDispose]()
  await rmdir(socketDirectory)
})

for (const [whose, prepare, options] of [
  ['that is open to other users', (path: string) => chmod(path, 0o777), {}],
  ['of another user', (path: string) => chown(path, 12_345, 12_345), root],
] as const) {
  test(`never connects to a socket in a temporary directory ${whose}`, options, async () => {
    await using temporary = await temporaryDirectory()
    const directory = join(temporary.path, 'long'.repeat(40), 'postgres')
    const { socketDirectory } = await prepareLayout(directory)
    await mkdir(socketDirectory, { mode: 0o700 })
    let connections = 0
    const listener = createServer(() => {
      connections += 1
    }).listen(join(socketDirectory, '.s.PGSQL.5432'))
    try {
      await once(listener, 'listening')
      await prepare(socketDirectory)
      await assert.rejects(openEmbeddedPostgres({ directory, durable: 'no' }), {
        code: 'directory_not_accessible',
        message: /must be a directory of Reelay's own user/,
      })
      assert.equal(connections, 0)
    } finally {
      listener.close()
      await rm(socketDirectory, { recursive: true, force: true })
    }
  })
}

test('says what to do when there are no programs for this platform, or they are not installed', () => {
  assert.throws(() => locatePackage('sunos-x64'), { code: 'unsupported_platform', message: /Set DATABASE_URL/ })
  const absent = process.platform === 'darwin' ? 'linux-x64' : 'darwin-x64'
  assert.throws(() => locatePackage(absent), { code: 'binaries_missing', message: /--include=optional/ })
})

test('refuses a directory of another major version', async () => {
  await using temporary = await temporaryDirectory()
  await mkdir(join(temporary.path, 'cluster'))
  await writeFile(join(temporary.path, 'cluster', 'PG_VERSION'), '15\n')
  await assert.rejects(openEmbeddedPostgres({ directory: temporary.path }), {
    code: 'foreign_directory',
    message: /made by PostgreSQL 15, and this Reelay brings 18/,
  })
})

test('reports the end of the log when PostgreSQL does not start', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  await (await openEmbeddedPostgres({ directory, durable: 'no' }))[Symbol.asyncDispose]()
  const file = join(directory, 'cluster', 'postgresql.conf')
  await writeFile(file, `${await readFile(file, 'utf8')}\nno_such_setting = 1\n`)
  await assert.rejects(openEmbeddedPostgres({ directory, durable: 'no' }), {
    code: 'start_failed',
    message: /no_such_setting/,
  })
})
