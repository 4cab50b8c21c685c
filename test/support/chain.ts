/**
 * Reelay as a provider of Reelay: a gateway without a renderer of its own in its route, and the upstream that it calls.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer, type TestServer } from './server.ts'

/** What each adapter's vendor calls its base URL, of an upstream at `url`. */
export const BASE_URLS = {
  xai: (url: string) => `${url}/v1`,
  rivya: (url: string) => url,
  grokimagineapi: (url: string) => url,
  acedata: (url: string) => url,
  'openai-videos': (url: string) => `${url}/openai/v1`,
} as const satisfies Readonly<Record<string, (url: string) => string>>
export type ChainedKind = keyof typeof BASE_URLS
export const CHAINED_KINDS = Object.keys(BASE_URLS) as ChainedKind[]

export interface Chain extends AsyncDisposable {
  readonly gateway: TestServer
  readonly upstream: TestServer
}

export interface ChainOptions {
  readonly kind: ChainedKind
  /** Further keys of the provider's entry. */
  readonly provider?: Readonly<Record<string, unknown>>
  readonly credits?: number
}

/** Starts both. The upstream keeps its port over restarts, as a real one keeps its address. */
export async function startChain({ kind, provider = {}, credits = 10_000 }: ChainOptions): Promise<Chain> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-chain-'))
  const upstream = await startServer({ credits, env: { REELAY_PORT: String(await freePort()) } })
  try {
    const file = join(folder, 'reelay.config.json')
    const main = {
      kind,
      baseUrl: BASE_URLS[kind](upstream.url),
      apiKey: 'env:UPSTREAM_KEY',
      pollSeconds: 0.2,
      ...provider,
    }
    await writeFile(file, JSON.stringify({ providers: { main }, models: { '*': { providers: ['main'] } } }))
    const gateway = await startServer({ credits, env: { REELAY_CONFIG: file, UPSTREAM_KEY: upstream.key } })
    return {
      gateway,
      upstream,
      [Symbol.asyncDispose]: async () => {
        await gateway.stop()
        await upstream.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await upstream.stop()
    throw error
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('the port is unknown')
  return address.port
}
