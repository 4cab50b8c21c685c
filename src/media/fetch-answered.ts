import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * Sends a request and waits for the head of its answer. A body that cannot be read breaks the request off; so does the
 * signal, also while there is no connection yet, when destroying the request alone would tell nobody.
 */
export function answered(
  call: ClientRequest,
  { body, signal }: { readonly body: Buffer | string | Readable | undefined; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  let giveUp = () => {}
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    // Stays: whatever breaks once the answer is there is told by the answer's body.
    call.on('error', reject).once('response', (answer) => {
      // Destroying a body that nobody reads raises an error event, which nobody wants to hear of.
      answer.on('error', () => {})
      resolve(answer)
    })
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) call.end(body)
    else pipeline(body, call).catch(reject)
  })
  return answer.finally(() => signal.removeEventListener('abort', giveUp))
}
