import process from 'node:process'
import { Command } from 'commander'
import { loadCatalog } from '../catalog/load.ts'
import { readConfig } from '../config/read-config.ts'
import { instanceSecret } from '../db/instance-secrets.ts'
import {
  PROVIDER_WEBHOOK_SECRET,
  PROVIDER_WEBHOOK_SECRET_BYTES,
  ProviderWebhookAddresses,
} from '../http/provider-webhook-addresses.ts'
import { fetchPolicy } from '../media/fetch-policy.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { ProviderPlans } from './provider-plan.ts'
import { readConfiguredProviders } from './read-configured-providers.ts'
import { withDatabase } from './with-database.ts'

/** `reelay providers webhooks`: what an operator enters in a vendor's console. Each address is a secret. */
export function providerWebhooksCommand(): Command {
  return new Command('webhooks')
    .description('the address at which each provider may call when a job has ended; keep them secret')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const config = readConfig(process.env)
      const { publicUrl } = config
      if (publicUrl === undefined) throw new CommandError('Set REELAY_PUBLIC_URL: nobody outside can call 127.0.0.1.')
      const found = await readConfiguredProviders(config, loadCatalog())
      await using plans = new ProviderPlans({ animatic: [], fetchPolicy: fetchPolicy(config.allowNets, config) })
      // Routes may name the renderer, which is always there.
      const plan = found === undefined ? undefined : plans.make({ ...found, models: {} })
      const callers = (plan?.providers ?? []).filter(({ parseWebhook }) => parseWebhook !== undefined)
      const webhooks = await withDatabase(async ({ pool }) => {
        const secret = await instanceSecret(pool, PROVIDER_WEBHOOK_SECRET, PROVIDER_WEBHOOK_SECRET_BYTES)
        const addresses = new ProviderWebhookAddresses({ publicUrl, secret })
        return callers.map(({ id }) => ({
          provider: id,
          url: addresses.urlOf(id),
          signed: found?.providers.find(({ name }) => name === id)?.webhookSecret !== undefined,
        }))
      })
      const rows = webhooks.map(({ provider, url, signed }) => [provider, url ?? '', signed ? 'yes' : 'no'])
      print(options, { webhooks }, table(['PROVIDER', 'URL', 'SIGNED'], rows))
    })
}
