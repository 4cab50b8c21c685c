/** What the server and the processes that do work for it agree upon. Structured clones over Node's IPC. */
import type { ThreadReport } from './thread-messages.ts'

const MIB = 1024 * 1024

/**
 * What a process may hold. A picture of 50 megapixels takes 200 MB decoded, a progressive one as much again for its
 * coefficients, and the process itself 100 MB.
 */
export const MAX_RESIDENT_BYTES = 768 * MIB

/** How a process ends that holds more. No code of Node's own. */
export const TOO_MUCH_MEMORY_EXIT_CODE = 77

export interface ProcessReport {
  readonly report: ThreadReport
  /** What the process holds now that the work is done. */
  readonly residentBytes: number
}

export function isProcessReport(message: unknown): message is ProcessReport {
  if (typeof message !== 'object' || message === null) return false
  return 'report' in message && 'residentBytes' in message && typeof message.residentBytes === 'number'
}
