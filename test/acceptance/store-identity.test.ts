/** A store and a database that do not belong together are refused before the first request. */
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { testDatabase } from '../support/database.ts'
import { type CommandResult, runCli, startServer, type TestServer } from '../support/server.ts'
import { create, waitForStatus } from './rivya.ts'

const identity = z.looseObject({ installation: z.string(), epoch: z.number(), mark: z.string(), usedAt: z.string() })
const status = z.looseObject({ epoch: z.number(), parked: z.object({ tasks: z.number(), deliveries: z.number() }) })

describe('a store', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-store-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** One start with the environment of `server` and these changes, which is to be refused. */
  async function refused(server: TestServer, env: Readonly<Record<string, string | undefined>>): Promise<string> {
    const result: CommandResult = await runCli(['serve', '--json'], { ...server.env, REELAY_PORT: '0', ...env })
    assert.equal(result.code, 1, result.stdout)
    return result.stdout
  }

  const fileOf = (directory: string) => join(directory, 'installation.json')
  const urlOf = (directory: string) => pathToFileURL(directory).href
  const readIdentity = async (directory: string) =>
    identity.parse(JSON.parse(await readFile(fileOf(directory), 'utf8')))

  test('of no installation is refused beside a database that has one, until the operator adopts it', async () => {
    await using server = await startServer()
    const { installation } = await readIdentity(join(server.dataDirectory, 'media'))
    await server.terminate()
    const empty = join(folder, 'empty')
    const said = await refused(server, { REELAY_STORE: urlOf(empty) })
    for (const part of [empty, installation, 'reelay store adopt']) assert.ok(said.includes(part), said)
    // A second machine with a disk of its own is the same mistake.
    const own = await refused(server, { REELAY_STORE: undefined, REELAY_DATA_DIR: join(folder, 'second') })
    assert.ok(own.includes(join(folder, 'second', 'media')), own)

    const adopted = await runCli(['store', 'adopt', '--json'], { ...server.env, REELAY_STORE: urlOf(empty) })
    assert.equal(adopted.code, 0, adopted.stdout)
    await server.start({ REELAY_STORE: urlOf(empty) })
    assert.equal((await readIdentity(empty)).installation, installation)
  })

  test('of another installation is refused with the names of both, and cannot be adopted', async () => {
    await using first = await startServer()
    await using second = await startServer()
    const ids = await Promise.all([first, second].map((each) => readIdentity(join(each.dataDirectory, 'media'))))
    await second.terminate()
    const foreign = { REELAY_STORE: urlOf(join(first.dataDirectory, 'media')) }
    const said = await refused(second, foreign)
    for (const { installation } of ids) assert.ok(said.includes(installation), said)
    const adopted = await runCli(['store', 'adopt', '--json'], { ...second.env, ...foreign })
    assert.equal(adopted.code, 1)
    const doctor = await runCli(['doctor'], { ...second.env, ...foreign })
    assert.match(doctor.stdout, /^FAIL {2}store .* belongs to the installation/m)
    await second.start()
  })

  test('that another copy of the database works with is refused; it is given one of its own', async () => {
    await using original = await startServer()
    const backup = join(folder, 'copy.ndjson.gz')
    assert.equal((await original.command('export', backup)).code, 0)
    await using database = await testDatabase()
    const home = join(folder, 'copy')
    const env = { ...original.env, DATABASE_URL: database.url, REELAY_DATA_DIR: home }
    assert.equal((await runCli(['import', backup], env)).code, 0)
    assert.match(await refused(original, env), /was used \d+ s ago by another copy of this database/)
    await cp(join(original.dataDirectory, 'media'), join(home, 'media'), { recursive: true })
    const options = { databaseUrl: database.url, dataDirectory: home, key: original.key }
    await using copy = await startServer({ ...options, env: { REELAY_STORE: undefined } })
    assert.equal((await readIdentity(join(home, 'media'))).epoch, 2)
    await copy.terminate()
  })

  test('that has seen more than the database shows that this was set back: what is open is parked', async () => {
    await using server = await startServer()
    const task = await create(server, { model: 'grok-imagine-video', prompt: 'sandbox:slow=600' })
    await waitForStatus(server, task.id, ['processing'])
    await server.terminate()
    const media = join(server.dataDirectory, 'media')
    const before = await readIdentity(media)
    await writeFile(fileOf(media), JSON.stringify({ ...before, mark: String(BigInt(before.mark) + 1n) }))
    await server.start()
    assert.match(server.log(), /the store was used by a later state of the database/)
    const { stdout } = await server.command('status', '--json')
    const { epoch, parked } = status.parse(JSON.parse(stdout))
    assert.deepEqual([epoch, parked.tasks], [2, 1])
    await server.restart()
    assert.equal(status.parse(JSON.parse((await server.command('status', '--json')).stdout)).epoch, 2)
  })

  test('with a damaged identity is refused, and left as it is', async () => {
    await using server = await startServer()
    await server.terminate()
    const media = join(server.dataDirectory, 'media')
    await writeFile(fileOf(media), '{')
    assert.match(await refused(server, {}), /installation\.json in the store is damaged/)
    assert.equal(await readFile(fileOf(media), 'utf8'), '{')
  })

  for (const role of ['api', 'worker'] as const) {
    test(`is needed by the role ${role}`, async () => {
      await using server = await startServer()
      await server.terminate()
      const said = await refused(server, {
        ...{ REELAY_ROLE: role, REELAY_STORE: undefined, REELAY_PUBLIC_URL: 'https://video.example.com' },
      })
      assert.match(said, new RegExp(`REELAY_ROLE=${role} needs REELAY_STORE`))
    })
  }
})
