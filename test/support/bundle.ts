/**
 * Bundles test files and the processes that they start, once for a run: Node 20 reads no TypeScript, and to translate it anew costs
 * each of a thousand processes most of a second. It is the same code: every module goes on believing that it lies where it lies.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin, stop } from 'esbuild'
import { MAIN_VARIABLE } from './bundled-main.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Below `node_modules`, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules', '.cache')

const MAIN = 'src/cli/main.ts'

/** What our own processes start, by the path of its source. */
const STARTED = [
  'src/renderer/render-process.ts',
  'src/media/poster-process.ts',
  'src/media/reframe/reframe-process.ts',
  'src/isolation/working-thread.ts',
  'src/isolation/working-process.ts',
  'src/media/probing.ts',
  'src/files/examine/examination.ts',
]

/** Instead of tsx, where nothing is left to translate. */
const NO_TRANSLATOR = 'data:text/javascript,export function register() {}'

export interface Bundle extends AsyncDisposable {
  /** In the order in which they were given. */
  readonly tests: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** `tests`: paths of test files, relative to the project. */
export async function bundled(tests: readonly string[]): Promise<Bundle> {
  await mkdir(CACHE, { recursive: true })
  const directory = await mkdtemp(join(CACHE, 'reelay-tests-'))
  const outputOf = (file: string) => join(directory, file.replace(/\.ts$/, '.mjs'))
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...tests, ...STARTED, MAIN],
    outdir: directory,
    outbase: ROOT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    keepNames: true,
    sourcemap: true,
    plugins: [inPlace(new Map(STARTED.map((file) => [join(ROOT, file), outputOf(file)])))],
    logLevel: 'warning',
  })
  // Its service would stay for as long as this process.
  await stop()
  return {
    tests: tests.map(outputOf),
    environment: { [MAIN_VARIABLE]: outputOf(MAIN) },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** What a module asks about itself is answered as in its source; what it starts is the bundle, where there is one of it. */
function inPlace(started: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'in place',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const url = JSON.stringify(pathToFileURL(path).href)
        const source = await readFile(path, 'utf8')
        const contents = source
          .replaceAll(/import\.meta\.resolve\('(\.{1,2}\/.*?\.ts)'\)/g, "new URL('$1', import.meta.url).href")
          .replaceAll(/new URL\('(\.{1,2}\/.*?\.ts)', import\.meta\.url\)/g, (_, file: string) => {
            const found = join(dirname(path), file)
            return `new URL(${JSON.stringify(pathToFileURL(started.get(found) ?? found).href)})`
          })
          .replaceAll("['--import', import.meta.resolve('tsx')]", '[]')
          .replaceAll("import.meta.resolve('tsx/esm/api')", JSON.stringify(NO_TRANSLATOR))
          .replaceAll('import.meta.url', url)
          .replaceAll('import.meta.filename', JSON.stringify(path))
        return { contents, loader: 'ts' }
      })
    },
  }
}
