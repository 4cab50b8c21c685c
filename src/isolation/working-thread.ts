/** The thread that `run-in-thread.ts` starts: does one piece of work after the other. */
import { parentPort } from 'node:worker_threads'
import { carryOut } from './carry-out.ts'
import type { ThreadOrder } from './thread-messages.ts'

parentPort?.on('message', async (order: ThreadOrder) => {
  parentPort?.postMessage(await carryOut(order))
})
