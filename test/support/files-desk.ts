/** What the tests of customers' files work with: a database and a store of their own, and accounts. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { insertAccount } from '../../src/accounts/queries.ts'
import { newId } from '../../src/canonical/ids.ts'
import { DURATION_TOKEN_SECRET_BYTES, DurationTokens } from '../../src/files/duration-token.ts'
import type { FileOwner } from '../../src/files/file-owner.ts'
import type { FilesContext } from '../../src/files/files-context.ts'
import { insertWallets, selectWallet } from '../../src/ledger/queries.ts'
import { DiskStore } from '../../src/media/disk-store.ts'
import { fetchPolicy } from '../../src/media/fetch-policy.ts'
import { LINK_SECRET_BYTES, MediaLinks } from '../../src/media/links.ts'
import { testDatabase } from './database.ts'

export interface FilesDesk extends AsyncDisposable {
  readonly pool: pg.Pool
  readonly store: DiskStore
  /** For files of the test's own. */
  readonly folder: string
  /** Reaches no network but the public one, and that is not there. */
  readonly context: FilesContext
  /** What went wrong, as it was logged. */
  readonly logged: string[]
  readonly secrets: { readonly links: Buffer; readonly tokens: Buffer }
  account(): Promise<FileOwner>
  /** Keys of all objects in the store. */
  objects(): Promise<string[]>
}

export async function openFilesDesk(): Promise<FilesDesk> {
  const database = await testDatabase()
  const { pool } = database
  const folder = await mkdtemp(join(tmpdir(), 'reelay-files-'))
  const scratch = join(folder, 'scratch')
  await mkdir(scratch)
  const root = join(folder, 'store')
  const store = await DiskStore.open(root)
  const logged: string[] = []
  const note = (_fields: unknown, message?: string) => void logged.push(message ?? '')
  const secrets = { links: randomBytes(LINK_SECRET_BYTES), tokens: randomBytes(DURATION_TOKEN_SECRET_BYTES) }
  const now = () => new Date()
  const context: FilesContext = {
    db: pool,
    store,
    links: new MediaLinks({ publicUrl: () => 'https://video.example.com', secret: secrets.links, now }),
    fetchPolicy: fetchPolicy([]),
    durationTokens: new DurationTokens({ secret: secrets.tokens, now }),
    scratch,
    log: { warn: note, error: note },
  }
  return {
    pool,
    store,
    folder,
    context,
    logged,
    secrets,
    async account() {
      const id = newId('acct')
      await insertAccount(pool, { id, name: 'test', plan: 'pro', spicyAllowed: false })
      await insertWallets(pool, id)
      const wallet = await selectWallet(pool, id, 'live')
      if (wallet === undefined) throw new Error('the account has no wallet')
      return { account: id, plan: 'pro', wallet }
    },
    async objects() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      return files.map((path) => path.slice(root.length + 1)).sort()
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
