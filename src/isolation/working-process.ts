/**
 * The process that `run-in-process.ts` starts: does one piece of work after the other. It yields to the server when the
 * machine is busy, ends itself when it holds more memory than it may, and ends when its parent is gone.
 */
import './ignore-stop-signals.ts'
import { constants, setPriority } from 'node:os'
import process from 'node:process'
import { carryOut } from './carry-out.ts'
import { MAX_RESIDENT_BYTES, type ProcessReport, TOO_MUCH_MEMORY_EXIT_CODE } from './process-messages.ts'
import type { ThreadOrder } from './thread-messages.ts'

/** A decoder fills hundreds of megabytes in this time, and not gigabytes. */
const LOOK_AT_MEMORY_MS = 50

try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
} catch {
  // A container may forbid it; work at normal priority is still done.
}

// Native memory is under no limit of the engine. Decoders work in threads, so that this timer is not held up by them.
setInterval(() => {
  if (process.memoryUsage.rss() > MAX_RESIDENT_BYTES) process.exit(TOO_MUCH_MEMORY_EXIT_CODE)
}, LOOK_AT_MEMORY_MS).unref()

// Not `exit`, which would wait for a decoder that hangs in a thread.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

process.on('message', (order: ThreadOrder) => {
  void carryOut(order).then((report) => {
    if (!process.connected) return
    process.send?.({ report, residentBytes: process.memoryUsage.rss() } satisfies ProcessReport)
  })
})
