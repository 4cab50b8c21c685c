/** The process that brings one video to another size: one request, one answer, and its end. */
import '../../isolation/ignore-stop-signals.ts'
import { constants, setPriority } from 'node:os'
import { reframe } from './reframe.ts'
import { type ReframeAnswer, reframeRequestSchema } from './reframe-messages.ts'

try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
} catch {
  // A container may forbid it; encoding at normal priority is still encoding.
}

process.on('message', (message: unknown) => {
  void answer(message).then((sent) => process.send?.(sent))
})

// The parent is gone, or has its answer. Not `exit`, which would wait for a decoder that hangs in a thread.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function answer(message: unknown): Promise<ReframeAnswer> {
  try {
    await reframe(reframeRequestSchema.parse(message))
    return { kind: 'made' }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}
