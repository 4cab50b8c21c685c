/** A real server whose providers are those of a file, which can be changed while it runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { waitFor } from './patience.ts'
import { type ServerOptions, startServer, type TestServer } from './server.ts'

export interface Gateway extends AsyncDisposable {
  readonly server: TestServer
  /** Where `reelay.config.json` and what it names lie. */
  readonly folder: string
  /** Replaces the file, sends SIGHUP, and waits for the log line that says what came of it. */
  readonly reload: (config: unknown) => Promise<'taken' | 'refused'>
}

const OUTCOMES = { taken: 'providers were configured anew', refused: 'the configuration stays as it was' } as const

/** Starts a server with `config` as its file; stand-ins on this machine may have their files fetched. */
export async function startGateway(config: unknown, options: ServerOptions = {}): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-gateway-'))
  const file = join(folder, 'reelay.config.json')
  const write = (content: unknown) => writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  try {
    await write(config)
    const env = { REELAY_CONFIG: file, REELAY_ALLOW_NETS: '127.0.0.0/8', ...options.env }
    const server = await startServer({ ...options, env })
    return {
      server,
      folder,
      reload: async (next) => {
        await write(next)
        return await sendHup(server)
      },
      [Symbol.asyncDispose]: async () => {
        await server.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function sendHup(server: TestServer): Promise<'taken' | 'refused'> {
  if (server.pid === undefined) throw new Error('the server does not run')
  const before = server.log().length
  process.kill(server.pid, 'SIGHUP')
  return await waitFor('the reload to be logged', () => {
    const since = server.log().slice(before)
    if (since.includes(OUTCOMES.taken)) return 'taken'
    return since.includes(OUTCOMES.refused) ? 'refused' : undefined
  })
}
