import { runInThread } from '../isolation/run-in-thread.ts'
import { Turns } from '../isolation/turns.ts'
import { BrokenMedia } from './broken-media.ts'
import type { ProbedVideo } from './probe.ts'
import type { run } from './probing.ts'

/** A WebM may have to be read from end to end: 2 GB from a slow disk, at 100 MB a second, take 20 s. */
const PROBE_TIMEOUT_MS = 30_000

/** Videos probed at a time in this process: a file that takes all of its time must not hold up the next. */
const PROBED_AT_ONCE = 2

const turns = new Turns({ atOnce: PROBED_AT_ONCE })

/**
 * Probes a video that came from elsewhere: like `probeVideo`, in a thread that ends when it takes more time or memory
 * than any real video does. Throws `BrokenMedia` then, too.
 */
export async function probeInThread(
  path: string,
  { timeoutMs = PROBE_TIMEOUT_MS }: { readonly timeoutMs?: number | undefined } = {},
): Promise<ProbedVideo> {
  const work = { module: import.meta.resolve('./probing.ts'), input: path, timeoutMs }
  const outcome = await turns.run(() => runInThread<typeof run>(work))
  if (outcome.kind === 'too_much') {
    const { cause } = outcome
    throw new BrokenMedia('unreadable', 'The file is damaged: it cannot be read in time.', { cause })
  }
  const { answer } = outcome
  if (answer.kind === 'broken') throw new BrokenMedia(answer.reason, answer.message, { cause: answer.cause })
  return answer.video
}
