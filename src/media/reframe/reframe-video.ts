import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../../isolation/child-environment.ts'
import { Turns } from '../../isolation/turns.ts'
import { type ReframeRequest, reframeAnswerSchema } from './reframe-messages.ts'

/** Half a minute of 1080p takes two minutes of two cores. */
const TIMEOUT_MS = 10 * 60_000

/** It takes two cores as it is. */
const AT_ONCE = 1

const CHILD = fileURLToPath(new URL('./reframe-process.ts', import.meta.url))

const turns = new Turns({ atOnce: AT_ONCE })

/**
 * Brings a video to another size, in a process of its own: a decoder meets bytes from outside, and when it crashes it takes
 * this with it and not the server. @throws Error when it cannot be done, or not in time.
 */
export async function reframeVideo(request: ReframeRequest): Promise<void> {
  await turns.run(() => reframed(request))
}

async function reframed(request: ReframeRequest): Promise<void> {
  const child = fork(CHILD, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const over = new AbortController()
  const ended = once(child, 'exit')
  try {
    child.send(request)
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), over.signal])
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      ended.then(([code, stopped]) => {
        throw new Error(`The process that was to bring the video to its size ended with ${stopped ?? code}.`)
      }),
    ])
    const answer = reframeAnswerSchema.parse(message)
    if (answer.kind === 'failed') throw new Error(answer.message)
  } finally {
    over.abort()
    child.kill('SIGKILL')
    await ended.catch(() => {})
  }
}
