/**
 * Rivya calls endpoints that are registered with it beforehand; creates name none. Events of generations carry the task.
 * How it signs is not documented: it gives a signing secret, and a Reelay in its place signs by Standard Webhooks.
 */
import type { Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { eventReader } from '../upstream/event-reader.ts'

/** Only with the endpoint's secret. */
export function rivyaWebhook({ name, webhookSecret }: AdapterSettings): Pick<Provider, 'parseWebhook'> {
  return webhookSecret === undefined
    ? {}
    : eventReader({ provider: name, secret: webhookSecret, family: 'generation.' })
}
