/** The thread that `run-in-thread.ts` starts: does one piece of work after the other. */
import { parentPort } from 'node:worker_threads'
import type { ThreadOrder, ThreadReport } from './thread-messages.ts'

parentPort?.on('message', async (order: ThreadOrder) => {
  parentPort?.postMessage(await obey(order))
})

async function obey({ module, input }: ThreadOrder): Promise<ThreadReport> {
  try {
    const { run } = await import(module)
    return { kind: 'answered', answer: await run(input) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
