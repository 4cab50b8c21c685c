/**
 * An upstream whose jobs end when the bench says, in a process of its own. It speaks as xAI does and keeps every job; unlike
 * the tests' stand-in it remembers no requests, for there are hundreds of thousands of them, and only counts them. Videos lie
 * on a second origin, as with the vendor. Both sides read the same clock, so what it says about ends can be compared with
 * the database.
 *
 *   GET /bench/finish?jobs=N&seconds=S   so many running jobs end at random moments of the next S seconds
 *   GET /bench/hang                      from now on nothing but /bench is answered
 *   GET /bench/state                     counts of requests, and when jobs ended and were fetched, by id, in Unix milliseconds
 */
import { randomInt, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { SpeechAnswer, UpstreamJob, UpstreamRequest } from '../../test/support/upstream/speech.ts'
import { xaiSpeech } from '../../test/support/upstream/xai-speech.ts'

/** What a vendor on another continent takes to answer. */
const LATENCY_MS = 100

const video = await readFile(process.argv[2] ?? '')
const jobs = new Map<string, UpstreamJob>()
const endsAt = new Map<string, number>()
const fetchedAt = new Map<string, number>()
const counts = { create: 0, poll: 0, file: 0 }
let hangs = false

const files = await listening(({ url = '' }, response) => {
  counts.file += 1
  fetchedAt.set(url.slice(1, -'.mp4'.length), Date.now())
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': video.length }).end(video)
})

const api = await listening(async (incoming, response) => {
  const url = new URL(incoming.url ?? '/', 'http://stand-in')
  const body = await buffer(incoming)
  if (url.pathname.startsWith('/bench/')) {
    response.end(JSON.stringify(command(url)))
    return
  }
  if (hangs) return
  await delay(LATENCY_MS)
  const { method = '', headers } = incoming
  const { status, json } = answer({ method, path: url.pathname, query: url.searchParams, headers, body })
  response.writeHead(status, { 'content-type': 'application/json' }).end(json === undefined ? '' : JSON.stringify(json))
})
process.once('SIGTERM', () => {
  for (const { server } of [api, files]) {
    server.close()
    server.closeAllConnections()
  }
})
process.stdout.write(`${JSON.stringify({ url: api.url })}\n`)

function answer(request: UpstreamRequest): SpeechAnswer {
  const call = xaiSpeech.callOf(request)
  const job = call?.kind === 'create' ? begun(request) : call?.kind === 'poll' ? now(call.job) : undefined
  if (call === undefined || job === undefined) return { status: 404, json: { error: 'not found' } }
  if (call.kind === 'create' || call.kind === 'poll') counts[call.kind] += 1
  const about = { call, request, job, jobs: [], uploads: new Map(), keepUpload: () => '', now: new Date() }
  return xaiSpeech.answer({ ...about, linkTo: ({ id }) => `${files.url}/${id}.mp4` })
}

function begun(request: UpstreamRequest): UpstreamJob {
  const idle = { apiKey: undefined, idempotencyKey: undefined, statusWord: undefined, error: undefined, video }
  const job: UpstreamJob = {
    ...idle,
    id: randomUUID(),
    request,
    createdAt: new Date(),
    state: 'running',
    progress: 10,
  }
  jobs.set(job.id, job)
  return job
}

function now(id: string): UpstreamJob | undefined {
  const job = jobs.get(id)
  if (job === undefined || (endsAt.get(id) ?? Number.POSITIVE_INFINITY) > Date.now()) return job
  return { ...job, state: 'succeeded' }
}

function command(url: URL): object {
  if (url.pathname === '/bench/hang') hangs = true
  if (url.pathname === '/bench/finish') {
    const spreadMs = Number(url.searchParams.get('seconds')) * 1_000
    const running = [...jobs.keys()].filter((id) => !endsAt.has(id))
    for (let left = Number(url.searchParams.get('jobs')); left > 0 && running.length > 0; left -= 1) {
      const [id = ''] = running.splice(randomInt(running.length), 1)
      endsAt.set(id, Date.now() + randomInt(spreadMs))
    }
  }
  return { counts, jobs: jobs.size, endsAt: Object.fromEntries(endsAt), fetchedAt: Object.fromEntries(fetchedAt) }
}

async function listening(handle: RequestListener): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { server, url: `http://127.0.0.1:${port}` }
}
