/**
 * A vendor's API on loopback, over real HTTP. It speaks by a `Speech` and keeps jobs as the vendor does, so a test can ask
 * afterwards how many would be billed: a create that arrives makes a job, whether or not its answer comes back, and only
 * a vendor that documents it knows that the same key means the same job. What goes wrong is scripted: `fault.ts`.
 *
 * Finished videos lie on a second server, the vendor's file host: another origin, where no key is wanted and links expire.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { byteSpan } from './byte-span.ts'
import type { Fault, FaultScript, FaultTarget } from './fault.ts'
import { FaultQueue } from './fault-queue.ts'
import { rawAnswer, reset, sendCut, sendWhole } from './raw-answer.ts'
import type {
  JobState,
  RefusalKind,
  Speech,
  SpeechAnswer,
  SpeechContext,
  UpstreamCall,
  UpstreamJob,
  UpstreamRequest,
} from './speech.ts'

/** How new jobs go on when no test says otherwise. */
export interface JobLife {
  /** Polls that find it still running. */
  readonly pendingPolls: number
  readonly ends: JobState
}

export interface ScriptedUpstreamOptions {
  readonly life?: JobLife
  /** What every job makes; by default bytes that are no video, enough for adapters. */
  readonly video?: Buffer
  readonly apiKeys?: readonly string[]
  /** By default any. */
  readonly port?: number
}

/** A request that came whole, and what it was taken for. */
export interface ReceivedRequest extends UpstreamRequest {
  readonly target: FaultTarget
}

export const FIRST_KEY = 'sk-stand-in-first-0123456789abcdef'
export const SECOND_KEY = 'sk-stand-in-second-0123456789abcdef'

/** More than a socket buffer takes at once. */
const VIDEO_BYTES = 300_007

const NO_SUCH_PAGE: SpeechAnswer = { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404') }

const PAGE: SpeechAnswer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from('<!doctype html><title>Just a moment…</title>'),
}

export class ScriptedUpstream implements AsyncDisposable {
  readonly speech: Speech
  /** What came, in order. */
  readonly received: ReceivedRequest[] = []
  /** Bytes of the head and of the body of every answer, as it would have been had nothing gone wrong. */
  readonly answered: { readonly headBytes: number; readonly bodyBytes: number }[] = []
  /** The keys that it knows; a test may revoke one. */
  apiKeys: readonly string[]
  /** Of jobs that are not begun yet. */
  life: JobLife
  video: Buffer
  /** How far the vendor's clock is ahead. */
  clockOffsetMs = 0
  /** Whether downloads can be taken up in the middle. */
  honoursRanges = true

  readonly #api: Server
  readonly #files: Server
  readonly #jobs = new Map<string, UpstreamJob>()
  /** Polls of each job so far; absent once a test has said what becomes of it. */
  readonly #polls = new Map<string, { life: JobLife; count: number }>()
  readonly #uploads = new Map<string, Buffer>()
  readonly #faults = new FaultQueue()
  readonly #arrivals = new EventEmitter<{ request: [] }>()
  #links = 0
  #firstGoodLink = 1

  private constructor(speech: Speech, options: ScriptedUpstreamOptions) {
    this.speech = speech
    this.life = options.life ?? { pendingPolls: 1, ends: 'succeeded' }
    this.video = options.video ?? randomBytes(VIDEO_BYTES)
    this.apiKeys = options.apiKeys ?? [FIRST_KEY, SECOND_KEY]
    this.#api = serverOf((request, response) => this.#onApi(request, response))
    this.#files = serverOf((request, response) => this.#onFile(request, response))
  }

  static async start(speech: Speech, options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(speech, options)
    for (const [server, port] of [
      [upstream.#api, options.port ?? 0],
      [upstream.#files, 0],
    ] as const) {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    }
    return upstream
  }

  /** What an operator would configure. */
  get baseUrl(): string {
    return `${originOf(this.#api)}${this.speech.basePath}`
  }

  /** Every job that was made, the oldest first: what the vendor bills. */
  get jobs(): readonly UpstreamJob[] {
    return [...this.#jobs.values()]
  }

  /** What goes wrong with the next calls of a kind. */
  script(target: FaultTarget, ...faults: readonly Fault[]): void {
    this.#faults.script(target, { faults })
  }

  /** The same, with something that goes wrong for ever after. */
  scriptForEver(target: FaultTarget, script: FaultScript): void {
    this.#faults.script(target, script)
  }

  /** How often a kind of call came. */
  count(target: FaultTarget): number {
    return this.received.filter((request) => request.target === target).length
  }

  /** Waits until a call of this kind has come. */
  async arrived(target: FaultTarget): Promise<void> {
    while (this.count(target) === 0) await once(this.#arrivals, 'request')
  }

  /** A link to a job's video on the vendor's file host. */
  linkTo({ id }: Pick<UpstreamJob, 'id'>): string {
    this.#links += 1
    return `${originOf(this.#files)}/${encodeURIComponent(id)}/${this.#links}.mp4`
  }

  /** Sets what has become of a job: polls no longer change it. By default of the newest one. */
  setJob(change: Partial<Omit<UpstreamJob, 'id'>>, id = this.jobs.at(-1)?.id): void {
    const job = id === undefined ? undefined : this.#jobs.get(id)
    if (job === undefined) throw new Error('there is no such job')
    this.#jobs.set(job.id, { ...job, ...change })
    this.#polls.delete(job.id)
  }

  /** Forgets all jobs, as a server does that keeps them in memory and starts anew. They are no longer in `jobs`. */
  forgetJobs(): void {
    this.#jobs.clear()
  }

  /** Every link that was given so far works no more; later polls give new ones. */
  expireLinks(): void {
    this.#firstGoodLink = this.#links + 1
  }

  async #onApi(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = this.#read(incoming, await buffer(incoming))
    const call = request === undefined ? undefined : this.speech.callOf(request)
    const target = call?.kind ?? 'other'
    const fault = this.#faults.next(target)
    if (fault.kind === 'reset before reading') return reset(response)
    if (request === undefined) return await this.#send(NO_SUCH_PAGE, { kind: 'none' }, response)
    this.#note({ ...request, target })
    await this.#answer({ fault, response, work: () => this.#refusalOf(call, request) ?? this.#work(call, request) })
  }

  #note(request: ReceivedRequest): void {
    this.received.push(request)
    this.#arrivals.emit('request')
  }

  /** A whole request; `undefined` outside of the vendor's base path. */
  #read(incoming: IncomingMessage, body: Buffer): UpstreamRequest | undefined {
    const url = new URL(incoming.url ?? '/', originOf(this.#api))
    const { basePath } = this.speech
    if (basePath !== '' && !url.pathname.startsWith(`${basePath}/`)) return undefined
    return {
      method: incoming.method ?? '',
      path: url.pathname.slice(basePath.length),
      query: url.searchParams,
      headers: incoming.headers,
      body,
    }
  }

  #refusalOf(call: UpstreamCall | undefined, request: UpstreamRequest): SpeechAnswer | undefined {
    const key = keyOf(request)
    if (this.speech.wantsKey && (key === undefined || !this.apiKeys.includes(key))) return this.#refuse('wrongKey')
    return call === undefined ? this.#refuse('unknownJob') : undefined
  }

  #work(call: UpstreamCall | undefined, request: UpstreamRequest): SpeechAnswer {
    if (call === undefined) return this.#refuse('unknownJob')
    let job: UpstreamJob | undefined
    if (call.kind === 'create') {
      job = this.#createJob(request)
    } else if ('job' in call) {
      job = this.#jobs.get(call.job)
      const isAnothers = this.speech.wantsKey && job?.apiKey !== keyOf(request)
      if (job === undefined || isAnothers) return this.#refuse('unknownJob')
      if (call.kind === 'poll') job = this.#passTime(job)
      if (call.kind === 'content') {
        if (job.state !== 'succeeded') return this.#refuse('unknownJob')
        return byteSpan(job.video, this.honoursRanges ? request.headers.range : undefined)
      }
    }
    const answer = this.speech.answer(this.#contextOf(call, request, job))
    if (call.kind === 'cancel' && job !== undefined && !isOver(job.state)) this.setJob({ state: 'canceled' }, job.id)
    return answer
  }

  #contextOf(call: UpstreamCall, request: UpstreamRequest, job: UpstreamJob | undefined): SpeechContext {
    return {
      call,
      request,
      job,
      jobs: this.jobs,
      uploads: this.#uploads,
      keepUpload: (bytes) => {
        const name = `upload-${this.#uploads.size + 1}`
        this.#uploads.set(name, bytes)
        return name
      },
      linkTo: (each) => this.linkTo(each),
      now: this.#now(),
    }
  }

  #createJob(request: UpstreamRequest): UpstreamJob {
    const idempotencyKey = this.speech.idempotencyKeyOf?.(request)
    const known = this.jobs.find((job) => idempotencyKey !== undefined && job.idempotencyKey === idempotencyKey)
    if (known !== undefined) return known
    const job: UpstreamJob = {
      id: this.speech.jobIdOf?.(request) ?? randomUUID(),
      request,
      apiKey: keyOf(request),
      idempotencyKey,
      createdAt: this.#now(),
      state: 'queued',
      progress: 0,
      statusWord: undefined,
      error: undefined,
      video: this.video,
    }
    // A vendor that lets the caller choose the id and checks nothing runs, and bills, the second one too.
    const key = this.#jobs.has(job.id) ? `${job.id}#${this.#jobs.size}` : job.id
    this.#jobs.set(key, job)
    this.#polls.set(job.id, { life: this.life, count: 0 })
    return job
  }

  #passTime(job: UpstreamJob): UpstreamJob {
    const polls = this.#polls.get(job.id)
    if (polls === undefined || isOver(job.state)) return job
    polls.count += 1
    const isPending = polls.count <= polls.life.pendingPolls
    const now: UpstreamJob = isPending
      ? { ...job, state: 'running', progress: Math.floor((100 * polls.count) / (polls.life.pendingPolls + 1)) }
      : { ...job, state: polls.life.ends, progress: 100 }
    this.#jobs.set(job.id, now)
    return now
  }

  async #onFile(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', originOf(this.#files))
    const body = await buffer(incoming)
    const { method = '', headers } = incoming
    this.#note({ method, path: url.pathname, query: url.searchParams, headers, body, target: 'file' })
    const [, id = '', link = ''] = /^\/([^/]+)\/(\d+)\.mp4$/.exec(url.pathname) ?? []
    const job = this.#jobs.get(decodeURIComponent(id))
    const work = (): SpeechAnswer => {
      if (job === undefined) return NO_SUCH_PAGE
      if (Number(link) < this.#firstGoodLink) return { ...NO_SUCH_PAGE, status: 403 }
      return byteSpan(job.video, this.honoursRanges ? headers.range : undefined)
    }
    await this.#answer({ fault: this.#faults.next('file'), response, work })
  }

  /** Does a call's work unless the fault prevents it, and answers as the fault has it. */
  async #answer({
    fault,
    response,
    work,
  }: {
    readonly fault: Fault
    readonly response: ServerResponse
    readonly work: () => SpeechAnswer
  }): Promise<void> {
    if (fault.kind === 'refuse') {
      const refusal = this.#refuse(fault.why)
      const headers = { ...refusal.headers, ...fault.headers }
      return await this.#send({ ...refusal, headers }, fault, response)
    }
    const answer = fault.kind === 'status' && fault.makesJob === undefined ? undefined : work()
    if (fault.kind !== 'status') return await this.#send(answer ?? NO_SUCH_PAGE, fault, response)
    const { status, headers = {}, body = '' } = fault
    await this.#send({ status, headers, body: Buffer.from(body) }, fault, response)
  }

  async #send(honest: SpeechAnswer, fault: Fault, response: ServerResponse): Promise<void> {
    const said = saidUnder(fault, honest)
    const raw = rawAnswer(said, this.#now())
    this.answered.push({ headBytes: raw.head.length, bodyBytes: raw.body.length })
    switch (fault.kind) {
      case 'hang':
        return
      case 'reset after reading':
        return reset(response)
      case 'cut answer':
        return await sendCut(raw, fault.atByte, response)
      case 'cut body':
        return await sendCut(raw, raw.head.length + fault.atByte, response)
      case 'latency':
        await delay(fault.ms)
        break
      case 'hold':
        await fault.until
    }
    sendWhole(said, this.#now(), response)
  }

  #refuse(why: RefusalKind): SpeechAnswer {
    const refusal = this.speech.refusal(why)
    if (refusal === undefined) throw new Error(`this vendor refuses nothing as ${why}`)
    return refusal
  }

  #now(): Date {
    return new Date(Date.now() + this.clockOffsetMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#api, this.#files]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** What is said instead of the honest answer. */
function saidUnder(fault: Fault, honest: SpeechAnswer): SpeechAnswer {
  switch (fault.kind) {
    case 'html':
      return PAGE
    case 'say':
      return { status: 200, json: fault.json }
    case 'coded':
      return coded(honest, fault.coding)
    case 'truncated json': {
      const text = JSON.stringify(honest.json ?? {})
      const headers = { 'content-type': 'application/json' }
      return { status: honest.status, headers, body: Buffer.from(text.slice(0, text.length / 2)) }
    }
    default:
      return honest
  }
}

const CODERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const

function coded({ status, headers, json, body }: SpeechAnswer, coding: keyof typeof CODERS): SpeechAnswer {
  const plain = body ?? Buffer.from(json === undefined ? '' : JSON.stringify(json))
  const type = body === undefined ? { 'content-type': 'application/json' } : {}
  return { status, headers: { ...type, ...headers, 'content-encoding': coding }, body: CODERS[coding](plain) }
}

function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}

function keyOf({ headers }: UpstreamRequest): string | undefined {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
}

function originOf(server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the stand-in is closed')
  return `http://127.0.0.1:${address.port}`
}

function serverOf(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  return createServer((request, response) => {
    // A caller who hung up gets no answer; a fault of a speech shows as a broken connection and in the test's output.
    handle(request, response).catch((error: unknown) => {
      if (response.socket?.destroyed === false) console.error(error)
      response.destroy()
    })
  })
}
