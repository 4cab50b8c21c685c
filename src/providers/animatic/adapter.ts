import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { access, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { ASPECT_RATIOS, OPERATIONS, RESOLUTIONS } from '../../canonical/generation.ts'
import { REFERENCE_ROLES } from '../../canonical/reference.ts'
import { RenderPool } from '../../renderer/render-pool.ts'
import type { PollContext, PollOutcome, Provider } from '../provider.ts'
import { discardReferences, fetchReferences } from './local-references.ts'
import { type AnimaticOperation, readOperation, toOperation } from './operation.ts'
import { readSandbox, type Sandbox } from './sandbox.ts'

export interface AnimaticOptions {
  /** Scratch folder for finished renders; made when missing. One worker process has it at a time. */
  readonly directory: string
  /** Renders at once; one less than the cores unless said, so that the API keeps one. */
  readonly concurrency?: number
  /** Epoch milliseconds. */
  readonly now?: () => number
}

/** How long a sandbox failure takes: long enough to be seen running, as a real one would be. */
const FAILS_AFTER_MS = 1_000
/** Of a slow job's progress, what the waiting fills; the rest is the render. */
const WAITING_PERCENT = 80

/** Reelay's own renderer as a provider: no key, no network, and the same request always gives the same video. */
export function createAnimaticProvider(options: AnimaticOptions): Provider & AsyncDisposable {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const now = options.now ?? Date.now
  const concurrency = options.concurrency ?? Math.max(1, availableParallelism() - 1)
  const pool = new RenderPool({ concurrency })
  /** Tokens of the jobs whose render stopped once and was begun again. */
  const begunAgain = new Set<string>()

  return {
    id: 'animatic',
    isFree: true,
    abilities: {
      durationSeconds: { min: 1, max: 30 },
      resolutions: RESOLUTIONS,
      aspectRatios: [...ASPECT_RATIOS, 'source'],
      operations: OPERATIONS,
      roles: REFERENCE_ROLES,
    },
    startIsIdempotent: true,
    // A render is a process of this worker; only this one says that it is gone, and knows.
    goneJobs: { believedAfterMs: 0, isSurelyLost: true },
    concurrency,
    affinity: 'worker',
    sourceType: 'algorithmicMedia',
    pollEveryMs: 250,

    async start(request, { token, ...copying }) {
      const sandbox = readSandbox(request.prompt)
      if (sandbox.kind === 'malformed') {
        return {
          kind: 'rejected',
          because: 'request',
          failure: { reason: 'unsupported_input', message: sandbox.message },
        }
      }
      const operation = { token, request, startedAtMs: now() }
      if (sandbox.outcome === 'video' && sandbox.slowSeconds === 0) await render(operation, sandbox.prompt, copying)
      return { kind: 'accepted', operation: toOperation(operation) }
    },

    async poll(stored, copying) {
      const operation = readOperation(stored)
      const sandbox = readPlan(operation)
      const waitMs = sandbox.slowSeconds * 1_000 + (sandbox.outcome === 'video' ? 0 : FAILS_AFTER_MS)
      const waitedMs = now() - operation.startedAtMs
      if (waitedMs < waitMs) {
        return { kind: 'pending', progress: Math.floor((WAITING_PERCENT * Math.max(0, waitedMs)) / waitMs) }
      }
      if (sandbox.outcome !== 'video') return sandboxEnd(sandbox.outcome)
      return await pollRender(operation, sandbox, copying)
    },

    async cancel(stored) {
      const { token } = readOperation(stored)
      pool.cancel(token)
      begunAgain.delete(token)
    },

    async discard(stored) {
      await forget(readOperation(stored))
    },

    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }

  async function pollRender(
    operation: AnimaticOperation,
    sandbox: SandboxPlan,
    copying: PollContext,
  ): Promise<PollOutcome> {
    const state = pool.state(operation.token)
    // Unknown here, but finished: this process was restarted after the render.
    if (state === undefined && (await exists(pathOf(operation)))) return succeeded(pathOf(operation))
    if (state === undefined) await render(operation, sandbox.prompt, copying)
    const from = sandbox.slowSeconds > 0 ? WAITING_PERCENT : 0
    switch (state?.kind) {
      case 'done':
        return succeeded(state.path)
      case 'crashed':
        if (begunAgain.has(operation.token)) {
          return await giveUp(operation, state.cause)
        }
        await renderAgain(operation, sandbox.prompt, copying)
        return { kind: 'pending', progress: from }
      case 'rendering':
        return { kind: 'pending', progress: Math.round(from + ((100 - from) * state.framesDone) / state.framesTotal) }
      default:
        return { kind: 'pending', progress: from }
    }
  }

  /** Two renders that stop one after the other are this machine's doing, or the request's: the task goes back to the queue. */
  async function giveUp(operation: AnimaticOperation, cause: string): Promise<PollOutcome> {
    await forget(operation)
    return { kind: 'gone', cause: `the renderer stopped unexpectedly: ${cause}` }
  }

  async function forget(operation: AnimaticOperation): Promise<void> {
    pool.forget(operation.token)
    begunAgain.delete(operation.token)
    await rm(pathOf(operation), { force: true })
    await discardReferences(operation.request.references, pathOf(operation))
  }

  /** What ended a render may be no fault of its own (a signal, the memory of the machine); twice, it is. */
  async function renderAgain(operation: AnimaticOperation, prompt: string, copying: PollContext): Promise<void> {
    begunAgain.add(operation.token)
    pool.forget(operation.token)
    await render(operation, prompt, copying)
  }

  async function render(operation: AnimaticOperation, prompt: string, copying: PollContext): Promise<void> {
    const { token, request } = operation
    const outputPath = pathOf(operation)
    const referencePaths = await fetchReferences(request.references, { ...copying, jobPath: outputPath })
    const { customer } = copying
    pool.start({ id: token, customer, request: { ...request, prompt }, referencePaths, outputPath })
  }

  /** A token may hold anything; its hash is always a file name. */
  function pathOf({ token }: AnimaticOperation): string {
    return join(directory, `${createHash('sha256').update(token).digest('hex')}.mp4`)
  }
}

/** Jobs that wait at once. A wait costs a row and a poll now and then; it must not keep anybody from rendering. */
const WAITING_JOBS = 256

/**
 * The same provider, for prompts that ask for an outcome or a delay: in a lane of its own, because waiting on purpose
 * takes none of the few slots that renders have. What is to be drawn after the wait is drawn by the same renderer, where its
 * customer takes turns with others: to have waited gives it no place before them.
 */
export function sandboxOf(animatic: Provider): Provider {
  return {
    ...animatic,
    id: 'animatic-sandbox',
    concurrency: WAITING_JOBS,
    takes: ({ prompt }) => asksForSandbox(prompt),
  }
}

function asksForSandbox(prompt: string): boolean {
  const sandbox = readSandbox(prompt)
  return sandbox.kind === 'malformed' || sandbox.outcome !== 'video' || sandbox.slowSeconds > 0
}

type SandboxPlan = Extract<Sandbox, { kind: 'plan' }>

function readPlan({ request }: AnimaticOperation): SandboxPlan {
  const sandbox = readSandbox(request.prompt)
  if (sandbox.kind === 'malformed') throw new TypeError(`The animatic operation was never accepted: ${sandbox.message}`)
  return sandbox
}

function sandboxEnd(outcome: Exclude<SandboxPlan['outcome'], 'video'>): PollOutcome {
  switch (outcome) {
    case 'fail':
      return generationFailed('The generation failed, as sandbox:fail asks.')
    case 'moderated':
      return {
        kind: 'failed',
        failure: { reason: 'moderated', message: 'The content policy refused this, as sandbox:moderated asks.' },
      }
    case 'expire':
      return { kind: 'expired' }
  }
}

function succeeded(path: string): PollOutcome {
  return { kind: 'succeeded', assets: [{ kind: 'video', path }] }
}

function generationFailed(message: string): Extract<PollOutcome, { kind: 'failed' }> {
  return { kind: 'failed', failure: { reason: 'generation_failed', message } }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
