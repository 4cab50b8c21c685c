import process from 'node:process'
import { Command } from 'commander'
import { loadCatalog } from '../catalog/load.ts'
import { providerConfigJsonSchema } from '../config/provider-config.ts'
import { readConfig } from '../config/read-config.ts'
import type { ReadProviderConfig } from '../config/read-provider-config.ts'
import { fetchPolicy } from '../media/fetch-policy.ts'
import { ADAPTERS } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'
import { type OutputOptions, print, table } from './output.ts'
import { printable } from './printable.ts'
import { ProviderPlans } from './provider-plan.ts'
import { providerWebhooksCommand } from './provider-webhooks-command.ts'
import { readConfiguredProviders } from './read-configured-providers.ts'

/** A provider that says nothing for so long is not there. */
const CHECK_TIMEOUT_MS = 10_000

interface Checked {
  readonly name: string
  readonly ok: boolean
  /** `undefined` where all is well. */
  readonly problem: string | undefined
}

/** `reelay providers …` */
export function providersCommand(): Command {
  const command = new Command('providers').description('the configured providers')

  command
    .command('check')
    .description('read the configuration as the server would, and ask each provider whether it works')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const config = readConfig(process.env)
      const found = await readConfiguredProviders(config, loadCatalog())
      if (found === undefined) {
        print(options, { file: null, providers: [] }, ['No file: every video is made by the animatic renderer.'])
        return
      }
      await using plans = new ProviderPlans({ animatic: [], fetchPolicy: fetchPolicy(config.allowNets, config) })
      // Routes may name the renderer, which is always there.
      const { providers } = plans.make({ ...found, models: {} })
      const checked = await Promise.all(
        providers.map((provider) =>
          checkProvider({ provider, models: modelsOf(found, provider.id), timeoutMs: CHECK_TIMEOUT_MS }),
        ),
      )
      const rows = checked.map(({ name, ok, problem }) => [
        name,
        ok ? 'works' : 'does not work',
        printable(problem ?? '–'),
      ])
      print(options, { file: found.path, providers: checked }, [
        `${found.path}:`,
        ...table(['PROVIDER', 'STATE', 'WHY'], rows),
      ])
      process.exitCode = checked.every(({ ok }) => ok) ? 0 : 1
    })

  command.addCommand(providerWebhooksCommand())

  command
    .command('schema')
    .description('the JSON Schema of reelay.config.json, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(providerConfigJsonSchema(Object.keys(ADAPTERS)), undefined, 2)}\n`)
    })

  return command
}

/** The models that a provider is to make, as far as routes name them. */
function modelsOf({ models }: ReadProviderConfig, provider: string): string[] {
  return Object.keys(models).filter((model) => model !== '*' && models[model]?.providers.includes(provider) === true)
}

interface CheckProvider {
  readonly provider: Provider
  /** Those that it is to make. */
  readonly models: readonly string[]
  /** For all that it is asked, to the last byte. */
  readonly timeoutMs: number
}

/** Asks a provider whether it works. Does not throw. */
export async function checkProvider({ provider, models, timeoutMs }: CheckProvider): Promise<Checked> {
  const { id: name } = provider
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    await provider.check?.({ signal, models })
    return { name, ok: true, problem: undefined }
  } catch (error) {
    if (signal.aborted) return { name, ok: false, problem: `It gave no whole answer within ${timeoutMs / 1_000} s.` }
    return { name, ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}
