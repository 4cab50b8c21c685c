import type { Logger } from 'pino'

/** Something that is done again and again beside the tasks. */
export interface Chore {
  readonly name: string
  readonly everyMs: number
  /** `more`: it took as much as it takes at once, and there may be more of it now. */
  readonly run: () => Promise<'more' | 'done'>
}

/** Runs each chore at once and then at its interval, never twice at the same time, until the signal is aborted. */
export function runChores(
  chores: readonly Chore[],
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  return Promise.all(chores.map((chore) => repeat(chore, log, signal))).then(() => undefined)
}

async function repeat(chore: Chore, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if ((await chore.run()) === 'more') continue
    } catch (error) {
      log.error({ err: error, chore: chore.name }, 'a chore failed; it will be run again')
    }
    await pause(chore.everyMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
