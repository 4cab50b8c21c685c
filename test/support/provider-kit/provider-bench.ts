import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { GenerationRequest } from '../../../src/canonical/generation.ts'
import type { JsonObject } from '../../../src/canonical/json.ts'
import { fetchPolicy } from '../../../src/media/fetch-policy.ts'
import type {
  PollOutcome,
  ProducedAsset,
  Provider,
  StartContext,
  StartOutcome,
} from '../../../src/providers/provider.ts'
import type { AdapterSettings } from '../../../src/providers/upstream/adapter-settings.ts'
import { openSample } from '../sample-request.ts'
import { FIRST_KEY, ScriptedUpstream, type ScriptedUpstreamOptions, SECOND_KEY } from '../upstream/scripted-upstream.ts'
import type { ProviderCase } from './provider-case.ts'

/** Far beyond what loopback takes; tests of silence set a shorter one. */
const TIMEOUT_MS = 10_000

/** More polls than any job of a test needs. */
const MAX_POLLS = 10

/** An adapter at work on a stand-in of its vendor. Whatever either outcome tells is searched for keys. */
export class ProviderBench implements AsyncDisposable {
  readonly upstream: ScriptedUpstream
  readonly #adapter: ProviderCase
  readonly #provider: Provider & AsyncDisposable
  readonly #kept = new Map<string, JsonObject>()

  private constructor(adapter: ProviderCase, upstream: ScriptedUpstream, settings: Partial<AdapterSettings>) {
    this.#adapter = adapter
    this.upstream = upstream
    this.#provider = adapter.create(this.settings(settings))
  }

  static async open(
    adapter: ProviderCase,
    settings: Partial<AdapterSettings> = {},
    options: ScriptedUpstreamOptions = {},
  ): Promise<ProviderBench> {
    return new ProviderBench(adapter, await ScriptedUpstream.start(adapter.speech, options), settings)
  }

  get provider(): Provider {
    return this.#provider
  }

  /** The request that most tests use. */
  get request(): GenerationRequest {
    const [first] = Object.values(this.#adapter.takes)
    if (first === undefined) throw new Error(`${this.#adapter.name} takes nothing`)
    return first
  }

  settings(over: Partial<AdapterSettings> = {}): AdapterSettings {
    return {
      name: `${this.#adapter.name}-1`,
      baseUrl: this.upstream.baseUrl,
      apiKeys: this.#adapter.speech.wantsKey ? [FIRST_KEY] : [],
      model: undefined,
      concurrency: undefined,
      requestsPerMinute: undefined,
      timeoutMs: TIMEOUT_MS,
      pollEveryMs: undefined,
      costMicroUsd: undefined,
      honoursIdempotencyKey: undefined,
      webhookSecret: undefined,
      callbackUrl: undefined,
      workflow: undefined,
      fetchPolicy: fetchPolicy(['127.0.0.0/8']),
      ...this.#adapter.settings,
      ...over,
    }
  }

  async start(token = 'att_one', request = this.request, provider = this.provider): Promise<StartOutcome> {
    return await this.startUntil(neverAborted(), { token, request, provider })
  }

  async startUntil(
    signal: AbortSignal,
    about: { token?: string; request?: GenerationRequest; provider?: Provider; credential?: string } = {},
  ): Promise<StartOutcome> {
    const { token = 'att_one', request = this.request, provider = this.provider } = about
    const { credential = provider.credential } = about
    return tellsNoKey(
      await provider.start(request, { ...this.#keeping(token), credential, openReference: openSample, signal }),
    )
  }

  /** As the database keeps it with the attempt. */
  #keeping(token: string): Pick<StartContext, 'token' | 'kept' | 'keep'> {
    const keep = async (what: JsonObject) => void this.#kept.set(token, structuredClone(what))
    return { token, kept: this.#kept.get(token), keep }
  }

  /** Starts a job and gives its operation back as the database would. */
  async accepted(token = 'att_one', request = this.request): Promise<JsonObject> {
    const outcome = await this.start(token, request)
    assert.equal(outcome.kind, 'accepted', inspect(outcome))
    return outcome.kind === 'accepted' ? JSON.parse(JSON.stringify(outcome.operation)) : {}
  }

  async poll(operation: JsonObject, provider = this.provider): Promise<PollOutcome> {
    return tellsNoKey(await provider.poll(operation, { openReference: openSample, signal: neverAborted() }))
  }

  /** What a poll throws. */
  async pollError(operation: JsonObject, provider = this.provider): Promise<Error> {
    const outcome = await this.poll(operation, provider).then(
      (answered) => ({ answered }),
      (error: unknown) => ({ error }),
    )
    assert.ok('error' in outcome, `the poll should have thrown, and answered ${inspect(outcome)}`)
    assert.ok(outcome.error instanceof Error)
    return tellsNoKey(outcome.error)
  }

  /** Polls until the job is over. */
  async ended(operation: JsonObject, provider = this.provider): Promise<PollOutcome> {
    for (let polls = 0; polls < MAX_POLLS; polls += 1) {
      const outcome = await this.poll(operation, provider)
      if (outcome.kind !== 'pending') return outcome
    }
    throw new Error(`still pending after ${MAX_POLLS} polls`)
  }

  /** Polls until the job is done, and gives its video. */
  async asset(operation: JsonObject, provider = this.provider): Promise<RemoteAsset> {
    const outcome = await this.ended(operation, provider)
    assert.equal(outcome.kind, 'succeeded', inspect(outcome))
    const [asset] = outcome.kind === 'succeeded' ? outcome.assets : []
    assert.ok(asset !== undefined && 'download' in asset)
    return asset
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider[Symbol.asyncDispose]()
    await this.upstream[Symbol.asyncDispose]()
  }
}

export type RemoteAsset = Extract<ProducedAsset, { download: unknown }>

/** All bytes that a download gives, and where they begin. */
export async function downloaded(asset: RemoteAsset, fromByte = 0): Promise<{ fromByte: number; bytes: Buffer }> {
  await using part = await asset.download({ fromByte, signal: neverAborted() })
  const chunks: Buffer[] = []
  for await (const chunk of part.body) chunks.push(chunk)
  return { fromByte: part.fromByte, bytes: Buffer.concat(chunks) }
}

export function neverAborted(): AbortSignal {
  return new AbortController().signal
}

/** Fails where anything in it, however deep, has one of the stand-in's keys. */
export function tellsNoKey<Told>(told: Told): Told {
  const text = `${JSON.stringify(told)} ${inspect(told, { depth: 10 })}`
  for (const key of [FIRST_KEY, SECOND_KEY]) assert.ok(!text.includes(key), `a key is told: ${text}`)
  return told
}
