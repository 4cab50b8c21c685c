import { runInThread } from '../../isolation/run-in-thread.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import type { run } from './examination.ts'

/** The largest file is measured in under a second, a slow disk and a busy machine included in ten. */
const TIMEOUT_MS = 10_000

/**
 * Looks into a video or a file of sound.
 * @throws FileRefused; also where it takes more time or memory than any real file does.
 */
export async function examineInThread(file: ReceivedFile): Promise<ExaminedFile> {
  const work = { module: import.meta.resolve('./examination.ts'), input: file, timeoutMs: TIMEOUT_MS }
  const outcome = await runInThread<typeof run>(work)
  if (outcome.kind === 'too_much') {
    const found = `${calledOf(file.mimeType)} that is damaged and cannot be read in time`
    throw new FileRefused('broken', { found, allowed: 'whole files' }, { cause: outcome.cause })
  }
  const { answer } = outcome
  if (answer.kind === 'refused') throw new FileRefused(answer.reason, answer)
  return answer.file
}
