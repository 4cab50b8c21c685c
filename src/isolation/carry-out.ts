import type { ThreadOrder, ThreadReport } from './thread-messages.ts'

/** Does a piece of work where it was ordered: in a thread or a process of its own. */
export async function carryOut({ module, input }: ThreadOrder): Promise<ThreadReport> {
  try {
    const { run } = await import(module)
    return { kind: 'answered', answer: await run(input) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
