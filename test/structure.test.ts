/**
 * The shape of the code: which folder may import which. It is what keeps a dialect from reaching the database and a
 * provider from reaching credits, so N dialects and M providers cost N + M.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))
const ANYTHING = '*'

/**
 * Folder → what it may import beside itself: folders, single files, or files whose names begin like the entry with a `*`.
 * ARCHITECTURE.md shows the same table.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  canonical: [],
  catalog: ['canonical'],
  dialects: ['canonical'],
  observe: ['canonical'],
  isolation: [],
  db: ['canonical', 'observe'],
  renderer: ['canonical', 'isolation'],
  'providers/provider.ts': ['canonical'],
  providers: ['canonical', 'media/fetch-*', 'renderer'],
  ledger: ['canonical', 'db', 'observe'],
  accounts: ['canonical', 'db', 'observe', 'ledger'],
  media: ['canonical', 'db', 'observe', 'isolation'],
  webhooks: ['canonical', 'db', 'observe', 'isolation', 'media'],
  files: ['canonical', 'db', 'observe', 'isolation', 'ledger', 'accounts', 'media'],
  moderation: ['canonical', 'db', 'observe', 'media'],
  config: ['canonical', 'observe'],
  tasks: ['canonical', 'db', 'observe', 'ledger', 'accounts', 'media', 'providers/provider.ts'],
  http: [
    'canonical',
    'db',
    'observe',
    'isolation',
    'ledger',
    'accounts',
    'media',
    'catalog',
    'dialects',
    'files',
    'moderation',
    'tasks',
    'providers/provider.ts',
  ],
  worker: [ANYTHING],
  cli: [ANYTHING],
}

interface Import {
  readonly from: string
  readonly to: string
}

function sourceFiles(): string[] {
  return readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => relative(SOURCE, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SOURCE, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) => ({
    from: file,
    to: relative(SOURCE, resolve(SOURCE, dirname(file), specifier))
      .split(sep)
      .join('/'),
  }))
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? file
}

function isAllowed({ from, to }: Import): boolean {
  const allowed = MAY_IMPORT[from] ?? MAY_IMPORT[folderOf(from)]
  if (allowed === undefined) return false
  if (allowed.includes(ANYTHING) || (folderOf(from) === folderOf(to) && MAY_IMPORT[from] === undefined)) return true
  return allowed.some((entry) => entry === folderOf(to) || entry === to || isBeginning(entry, to))
}

function isBeginning(entry: string, file: string): boolean {
  return entry.endsWith('*') && file.startsWith(entry.slice(0, -1))
}

/** The rows of ARCHITECTURE.md's table, in the words of `MAY_IMPORT`. A row may be for several folders. */
function documentedImports(): Map<string, readonly string[]> {
  const rows = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8').matchAll(
    /^\| (`[a-z, `]+`) \| [^|]+ \| ([^|]+) \|$/gm,
  )
  return new Map(
    [...rows].flatMap(([, folders = '', cell = '']) => {
      const allowed = { nothing: [], anything: [ANYTHING] }[cell] ?? listed(cell.replaceAll(/ \([^)]*\)/g, ''))
      return listed(folders).map((folder) => [folder, allowed] as const)
    }),
  )
}

function listed(cell: string): string[] {
  return cell
    .split(', ')
    .map((entry) => entry.replaceAll('`', ''))
    .toSorted()
}

test('every folder of src has a row in the import table', () => {
  const folders = new Set(sourceFiles().map(folderOf))
  assert.deepEqual(
    [...folders].filter((folder) => MAY_IMPORT[folder] === undefined),
    [],
  )
})

test('ARCHITECTURE.md shows the same table', () => {
  const folders = Object.entries(MAY_IMPORT).filter(([folder]) => !folder.includes('/'))
  const here = folders.map(([folder, allowed]) => [folder, allowed.toSorted()])
  assert.deepEqual(Object.fromEntries(documentedImports()), Object.fromEntries(here))
})

test('no file imports across the arrow', () => {
  const crossing = sourceFiles()
    .flatMap(importsOf)
    .filter((each) => !isAllowed(each))
  assert.deepEqual(
    crossing.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

test('one provider does not import another, nor one dialect another', () => {
  const inner = /^(providers|dialects)\/([^/]+)\//
  // What adapters share. It imports none of them: only imports of it are excepted.
  const shared = 'providers/upstream/'
  const crossing = sourceFiles()
    .flatMap(importsOf)
    .filter(({ from, to }) => {
      const [source, target] = [inner.exec(from), inner.exec(to)]
      if (to.startsWith(shared)) return false
      return source !== null && target !== null && source[1] === target[1] && source[2] !== target[2]
    })
  assert.deepEqual(
    crossing.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

test('only the animatic provider uses the renderer', () => {
  const users = sourceFiles()
    .flatMap(importsOf)
    .filter(({ from, to }) => folderOf(to) === 'renderer' && folderOf(from) !== 'renderer')
  assert.deepEqual(
    users.filter(({ from }) => !from.startsWith('providers/animatic/')),
    [],
  )
})

test('only the command line ends the process', () => {
  const ending = sourceFiles().filter(
    (file) => folderOf(file) !== 'cli' && /process\.exit\(/.test(readFileSync(join(SOURCE, file), 'utf8')),
  )
  // Child processes of ours end themselves: they are processes of their own.
  assert.deepEqual(
    ending.filter((file) => !file.endsWith('-process.ts') && !file.endsWith('-child.ts')),
    [],
  )
})

test('every link between documents leads to a file', () => {
  const project = join(SOURCE, '..')
  const documents = readdirSync(project, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.md') && !file.startsWith('node_modules'),
  )
  const dead = documents.flatMap((document) => {
    const links = readFileSync(join(project, document), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)
    return [...links]
      .map(([, link = '']) => link)
      .filter((link) => !existsSync(join(project, dirname(document), link)))
      .map((link) => `${document}: ${link}`)
  })
  assert.deepEqual(dead, [])
})
