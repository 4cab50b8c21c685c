/**
 * Cleans up after a run of tests, however the run ends: a process of its own that waits for the end of its standard input,
 * which the runner holds open. Then it ends every process that works below the run's folder (servers, renderers, PostgreSQL:
 * they are in process groups and sessions of their own, and outlive whatever started them), and removes the folder.
 *
 *   node --import tsx test/support/janitor.ts <folder of the run>
 */
import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

/** A process that was killed is gone from the process table after that many looks, unless it is a zombie. */
const MAX_ROUNDS = 100
const LOOK_EVERY_MS = 50

/** Enough to recognize what was left. */
const MAX_SHOWN = 3
const MAX_SHOWN_CHARACTERS = 120

/** Ends all processes that belong to a folder, and says which commands they were. */
export async function endProcessesBelow(folder: string): Promise<string[]> {
  const ended = new Map<number, string>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = await processesBelow(folder)
    if (found.size === 0) break
    for (const [pid, command] of found) {
      ended.set(pid, command)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    await delay(LOOK_EVERY_MS)
  }
  return [...ended.values()]
}

/**
 * Processes whose working directory, command line or environment names the folder, by their ids. A zombie has none of these.
 * Where there is no /proc, none is found.
 */
async function processesBelow(folder: string): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  const names = await readdir('/proc').catch(() => [])
  for (const pid of names.filter((name) => /^\d+$/.test(name)).map(Number)) {
    if (pid === process.pid) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    const directory = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    const isBelow = isIn(directory, folder) || [command, environment].some((text) => text.includes(folder))
    if (isBelow && command !== '') found.set(pid, command.replaceAll('\0', ' ').trim())
  }
  return found
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

if (process.argv[1] === import.meta.filename) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('usage: janitor.ts <folder of the run>')
  // Ctrl-C reaches all processes of a terminal; this one has to outlive the others.
  process.on('SIGINT', () => undefined)
  for await (const _ of process.stdin) {
    // Nothing is ever sent.
  }
  const ended = await endProcessesBelow(folder)
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  if (ended.length > 0) {
    const shown = [...new Set(ended)]
      .slice(0, MAX_SHOWN)
      .map((command) => `  ${command.slice(0, MAX_SHOWN_CHARACTERS)}\n`)
    process.stderr.write(`Ended ${ended.length} processes that the run left behind, such as:\n${shown.join('')}`)
  }
}
