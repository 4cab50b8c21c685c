import type { PollOutcome, ProducedAsset } from '../provider.ts'
import { findVideo, viewPath } from './find-video.ts'
import { executionError, type FinishedPrompt } from './wire.ts'

/** What a prompt in the history came to. `linked` makes an asset of a path on the server. */
export function readFinished(finished: FinishedPrompt, linked: (path: string) => ProducedAsset): PollOutcome {
  const { status_str: word, completed, messages } = finished.status ?? {}
  if (word === 'error') return failed(causeOf(messages ?? []))
  if (word !== undefined && word !== null && word !== 'success') return { kind: 'pending', unknownStatus: word }
  if (completed === false) return { kind: 'pending' }
  const video = findVideo(finished)
  // What is in the history never changes: a video that is not there now never will be.
  if (video === undefined) return failed('the workflow saved no video')
  return { kind: 'succeeded', assets: [linked(viewPath(video))] }
}

function failed(cause: string): PollOutcome {
  return { kind: 'failed', failure: { reason: 'generation_failed', message: 'The provider failed.' }, cause }
}

/** A prompt that was interrupted has a status of error too, and no message of one. */
function causeOf(messages: readonly unknown[]): string {
  const error = messages.find((message) => Array.isArray(message) && message[0] === 'execution_error')
  if (!Array.isArray(error)) return 'it was interrupted'
  const { node_type: node, exception_message: message } = executionError.safeParse(error[1]).data ?? {}
  return `${node ?? 'a node'}: ${message ?? 'no message'}`
}
