/**
 * A load generator in a process of its own: keep-alive connections over plain sockets, each of which sends its next
 * request when the last has been answered. It reads no more of an answer than it needs, so that on two cores it leaves
 * the time to the server. Bounded in connections and time, and only ever pointed at this machine.
 *
 *   node --import tsx bench/support/load.ts '{"url":…,"connections":…,"seconds":…,"requests":[{method,path,headers,body}]}'
 */
import { Socket } from 'node:net'
import process from 'node:process'
import { z } from 'zod'

const plan = z
  .object({
    url: z.url(),
    connections: z.int().min(1).max(512),
    seconds: z.number().min(0.1).max(60),
    /** Connection i begins with request i and goes round. */
    requests: z.array(
      z.object({
        method: z.enum(['GET', 'POST']),
        path: z.string(),
        headers: z.record(z.string(), z.string()),
        body: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const target = new URL(plan.url)
if (!['127.0.0.1', '[::1]', 'localhost'].includes(target.hostname)) throw new Error('load goes to this machine only')

const messages = plan.requests.map(({ method, path, headers, body = '' }) => {
  const lines = Object.entries({ host: target.host, ...headers, 'content-length': String(Buffer.byteLength(body)) })
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
})

const started = performance.now()
const statuses = new Map<string, number>()
const latenciesMs: number[] = []
let open = plan.connections

for (let index = 0; index < plan.connections; index++) connect(index)

function connect(first: number): void {
  const socket = new Socket()
  let next = first
  let sentAt = 0
  let received = ''
  const send = () => {
    sentAt = performance.now()
    const message = messages[next++ % messages.length]
    if (message !== undefined) socket.write(message)
  }
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('connect', send)
  socket.on('data', (chunk) => {
    received += String(chunk)
    const rest = afterAnswer(received)
    if (rest === undefined) return
    const status = received.slice(9, 12)
    received = rest
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    latenciesMs.push(performance.now() - sentAt)
    if (performance.now() - started < plan.seconds * 1000) send()
    else socket.end()
  })
  socket.on('error', (error) => {
    statuses.set(error.message, (statuses.get(error.message) ?? 0) + 1)
  })
  socket.on('close', () => {
    if (--open === 0) report()
  })
  socket.connect(Number(target.port), target.hostname)
}

/** What follows a whole answer; `undefined` while it is not whole. */
function afterAnswer(text: string): string | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const length = /content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1]
  const end = headEnd + 4 + Number(length ?? 0)
  return text.length >= end ? text.slice(end) : undefined
}

function report(): void {
  const seconds = (performance.now() - started) / 1000
  latenciesMs.sort((a, b) => a - b)
  const at = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0
  const result = {
    perSecond: latenciesMs.length / seconds,
    statuses: Object.fromEntries(statuses),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
