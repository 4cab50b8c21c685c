/**
 * Webhooks are configured in the vendor's console; creates name none. Events `video.completed` and `video.failed`, signed by
 * Standard Webhooks. Source: the API reference.
 */
import type { Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { eventReader } from '../upstream/event-reader.ts'

/** Only with the endpoint's secret. */
export function openaiVideosWebhook({ name, webhookSecret }: AdapterSettings): Pick<Provider, 'parseWebhook'> {
  return webhookSecret === undefined ? {} : eventReader({ provider: name, secret: webhookSecret, family: 'video.' })
}
