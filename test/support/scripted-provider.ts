/**
 * An upstream whose every answer a test writes beforehand. Like a real one it keeps jobs of its own, so a test can ask
 * afterwards how many it would have billed: a start that arrives makes a job, whether or not its answer comes back, and
 * only an idempotent one knows that the same token means the same job.
 */
import { type GenerationRequest, OPERATIONS } from '../../src/canonical/generation.ts'
import type { JsonObject } from '../../src/canonical/json.ts'
import { REFERENCE_ROLES } from '../../src/canonical/reference.ts'
import type {
  PollContext,
  PollOutcome,
  Provider,
  ProviderAbilities,
  StartContext,
  StartOutcome,
} from '../../src/providers/provider.ts'

export type StartStep =
  | StartOutcome
  | 'accept'
  /** The job is made, and then the connection breaks. */
  | 'accept, then lose the answer'
  /** Thrown. */
  | Error
  | ((call: StartCall) => StartStep | Promise<StartStep>)

export type PollStep =
  | PollOutcome
  /** Succeeded, with the provider's own video. */
  | 'video'
  | Error
  | ((call: PollCall) => PollStep | Promise<PollStep>)

export interface StartCall {
  readonly token: string
  readonly credential: string | undefined
  readonly prompt: string
  readonly signal: AbortSignal
}

export interface PollCall {
  readonly job: string
  readonly prompt: string
  readonly signal: AbortSignal
}

/** One answer for each call; the last one is given for ever. Without any, jobs are accepted and stay pending. */
export interface Script {
  readonly start?: readonly StartStep[]
  readonly poll?: readonly PollStep[]
  readonly cancel?: (call: PollCall) => void | Promise<void>
}

export interface ScriptedOptions {
  readonly id?: string
  readonly startIsIdempotent?: boolean
  readonly concurrency?: number
  readonly affinity?: Provider['affinity']
  readonly pollEveryMs?: number
  readonly credential?: string
  /** The file that a `video` answer names. */
  readonly videoPath?: string
  /** What is done for prompts that have no script of their own. */
  readonly script?: Script
}

interface Job {
  readonly id: string
  readonly token: string
  readonly prompt: string
}

export class ScriptedProvider implements Provider {
  readonly id: string
  readonly abilities: ProviderAbilities = {
    durationSeconds: { min: 1, max: 30 },
    resolutions: ['480p', '720p', '1080p'],
    aspectRatios: ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', 'source'],
    operations: OPERATIONS,
    roles: REFERENCE_ROLES,
  }
  readonly startIsIdempotent: boolean
  readonly concurrency: number
  readonly affinity: Provider['affinity']
  readonly sourceType = 'trainedAlgorithmicMedia'
  readonly pollEveryMs: number
  readonly credential: string | undefined

  /** Every call, in order. */
  readonly starts: StartCall[] = []
  readonly polls: PollCall[] = []
  readonly cancels: PollCall[] = []
  readonly discards: string[] = []
  /** Every job that was made: what an upstream bills. */
  readonly jobs: Job[] = []

  readonly #videoPath: string | undefined
  readonly #script: Script
  readonly #scripts = new Map<string, Script>()
  readonly #called = new Map<string, number>()

  constructor(options: ScriptedOptions = {}) {
    this.id = options.id ?? 'scripted'
    this.startIsIdempotent = options.startIsIdempotent ?? false
    this.concurrency = options.concurrency ?? 100
    this.affinity = options.affinity ?? 'any'
    this.pollEveryMs = options.pollEveryMs ?? 10
    this.credential = options.credential
    this.#videoPath = options.videoPath
    this.#script = options.script ?? {}
  }

  /** Sets what happens to requests with this prompt. */
  script(prompt: string, script: Script): void {
    this.#scripts.set(prompt, script)
  }

  /** How many times `start` was called for a prompt. */
  startsOf(prompt: string): number {
    return this.starts.filter((call) => call.prompt === prompt).length
  }

  jobsOf(prompt: string): number {
    return this.jobs.filter((job) => job.prompt === prompt).length
  }

  async start({ prompt }: GenerationRequest, { token, credential, signal }: StartContext): Promise<StartOutcome> {
    const call = { token, credential, prompt, signal }
    this.starts.push(call)
    let step = this.#next('start', prompt, this.#scriptOf(prompt).start) ?? 'accept'
    while (typeof step === 'function') step = await step(call)
    if (step instanceof Error) throw step
    if (step === 'accept') return { kind: 'accepted', operation: { job: this.#makeJob(call).id, prompt } }
    if (step === 'accept, then lose the answer') {
      this.#makeJob(call)
      return { kind: 'ambiguous', cause: 'the connection was reset' }
    }
    return step
  }

  async poll(operation: JsonObject, { signal }: PollContext): Promise<PollOutcome> {
    const call = this.#callOf(operation, signal)
    this.polls.push(call)
    let step = this.#next('poll', call.job, this.#scriptOf(call.prompt).poll) ?? { kind: 'pending' as const }
    while (typeof step === 'function') step = await step(call)
    if (step instanceof Error) throw step
    if (step !== 'video') return step
    if (this.#videoPath === undefined) throw new Error('this provider was given no video')
    return { kind: 'succeeded', assets: [{ kind: 'video', path: this.#videoPath }] }
  }

  async cancel(operation: JsonObject, { signal }: PollContext): Promise<void> {
    const call = this.#callOf(operation, signal)
    this.cancels.push(call)
    await this.#scriptOf(call.prompt).cancel?.(call)
  }

  async discard(operation: JsonObject): Promise<void> {
    this.discards.push(String(operation['job']))
  }

  #makeJob({ token, prompt }: StartCall): Job {
    const known = this.jobs.find((job) => job.token === token)
    if (this.startIsIdempotent && known !== undefined) return known
    const job = { id: `job-${this.jobs.length + 1}`, token, prompt }
    this.jobs.push(job)
    return job
  }

  #callOf(operation: JsonObject, signal: AbortSignal): PollCall {
    const { job, prompt } = operation
    if (typeof job !== 'string' || typeof prompt !== 'string') throw new TypeError('not an operation of this provider')
    return { job, prompt, signal }
  }

  #scriptOf(prompt: string): Script {
    return this.#scripts.get(prompt) ?? this.#script
  }

  /** Prompts have their own place in the starts of their script, jobs in its polls. */
  #next<Step>(kind: string, of: string, steps: readonly Step[] | undefined): Step | undefined {
    if (steps === undefined) return undefined
    const key = `${kind} ${of}`
    const called = this.#called.get(key) ?? 0
    this.#called.set(key, called + 1)
    return steps[Math.min(called, steps.length - 1)]
  }
}
