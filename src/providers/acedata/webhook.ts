/**
 * AceData calls the `callback_url` of a create when the job has ended, with the answer that a waiting create would have
 * had. It documents no signature, so the address, which nobody can guess, tells who calls; a Reelay in its place signs.
 */
import { z } from 'zod'
import type { JsonObject } from '../../canonical/json.ts'
import type { Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { jobId } from '../upstream/job-operation.ts'
import { webhookReader } from '../upstream/webhook-reader.ts'

const message = z.object({ task_id: jobId })

/** What is added to a create, so that it is told of. */
export function callbackField({ callbackUrl }: Pick<AdapterSettings, 'callbackUrl'>): JsonObject {
  return callbackUrl === undefined ? {} : { callback_url: callbackUrl }
}

/** There without a secret too: then whoever knows the address can have a job looked at, and nothing more. */
export function acedataWebhook({ name, webhookSecret }: AdapterSettings): Pick<Provider, 'parseWebhook'> {
  return webhookReader({
    provider: name,
    secret: webhookSecret,
    read: (body) => {
      const { data } = message.safeParse(body)
      return data && { kind: 'hint', jobId: data.task_id }
    },
  })
}
