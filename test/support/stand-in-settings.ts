import { fetchPolicy } from '../../src/media/fetch-policy.ts'
import type { AdapterSettings } from '../../src/providers/upstream/adapter-settings.ts'
import type { ScriptedUpstream } from './upstream/scripted-upstream.ts'

/** An adapter's settings for a stand-in, as an operator would write them. */
export function standInSettings({ baseUrl, apiKeys }: Pick<ScriptedUpstream, 'baseUrl' | 'apiKeys'>): AdapterSettings {
  return {
    name: 'stand-in',
    baseUrl,
    apiKeys,
    model: undefined,
    concurrency: undefined,
    requestsPerMinute: undefined,
    timeoutMs: undefined,
    pollEveryMs: undefined,
    costMicroUsd: undefined,
    honoursIdempotencyKey: undefined,
    webhookSecret: undefined,
    callbackUrl: undefined,
    workflow: undefined,
    fetchPolicy: fetchPolicy(['127.0.0.0/8']),
  }
}
