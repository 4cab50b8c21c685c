/** What passes between the pool and a render process. Structured clones over Node's IPC; both ends are this package. */
import type { FootageOrder } from './footage/footage.ts'

/** To the process: render this clip. One at a time. */
export interface RenderOrder extends FootageOrder {
  readonly outputPath: string
}

/** From the process, about the order that it has. */
export type RenderReport =
  | { readonly kind: 'progress'; readonly framesDone: number; readonly framesTotal: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly cause: string }

/** Whether a message that a process sent is a report. */
export function isRenderReport(message: unknown): message is RenderReport {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false
  return message.kind === 'progress' || message.kind === 'done' || message.kind === 'failed'
}
