import type { ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { SpeechAnswer } from './speech.ts'

/** An answer as it goes over the wire, so that a fault can end it at any byte. */
export interface RawAnswer {
  readonly head: Buffer
  readonly body: Buffer
}

export function rawAnswer(answer: SpeechAnswer, date: Date): RawAnswer {
  const { headers, body } = whole(answer, date)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const { status } = answer
  return { head: Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n`), body }
}

/** Sends the whole answer; the connection is kept. */
export function sendWhole(answer: SpeechAnswer, date: Date, response: ServerResponse): void {
  const { headers, body } = whole(answer, date)
  response.writeHead(answer.status, headers).end(body)
}

function whole({ headers = {}, json, body }: SpeechAnswer, date: Date) {
  const sent = body ?? Buffer.from(json === undefined ? '' : JSON.stringify(json))
  const type = json === undefined ? {} : { 'content-type': 'application/json' }
  return {
    headers: { date: date.toUTCString(), ...type, ...headers, 'content-length': String(sent.length) },
    body: sent,
  }
}

/** Sends the first bytes of an answer, lets them arrive, and resets the connection. */
export async function sendCut({ head, body }: RawAnswer, atByte: number, response: ServerResponse): Promise<void> {
  const socket = socketOf(response)
  const part = Buffer.concat([head, body]).subarray(0, atByte)
  await new Promise<void>((resolve) => socket.write(part, () => resolve()))
  socket.resetAndDestroy()
}

export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

function socketOf({ socket }: ServerResponse): Socket {
  if (socket === null) throw new Error('the caller has hung up')
  return socket
}
