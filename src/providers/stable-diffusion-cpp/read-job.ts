import type { Json } from '../../canonical/json.ts'
import type { PollOutcome, ProducedAsset } from '../provider.ts'
import { meaningOf } from '../upstream/job-answer.ts'
import { job } from './wire.ts'

/** What the answer to a poll says. The server tells no progress. @throws Error where it is no job. */
export function readJob(json: Json | undefined): PollOutcome {
  const parsed = job.safeParse(json)
  if (!parsed.success) throw new Error('The provider answers a poll with something that is no job.')
  const { status, result, error } = parsed.data
  switch (meaningOf(status)) {
    case 'pending':
      return { kind: 'pending' }
    case 'done': {
      const base64 = result?.b64_json ?? ''
      return { kind: 'succeeded', assets: base64 === '' ? [] : [inlineVideo(base64)] }
    }
    case 'failed': {
      const failure = { reason: 'generation_failed', message: 'The provider failed.' } as const
      return { kind: 'failed', failure, cause: `${status}: ${error?.code ?? 'no code'}: ${error?.message ?? ''}` }
    }
    case 'expired':
      return { kind: 'expired' }
    case undefined:
      return { kind: 'pending', unknownStatus: status }
  }
}

/** A video that came with the poll: to download it is to decode it. */
function inlineVideo(base64: string): ProducedAsset {
  return {
    kind: 'video',
    download: async ({ fromByte }) => {
      const bytes = Buffer.from(base64, 'base64')
      return {
        fromByte,
        totalBytes: bytes.length,
        body: once(bytes.subarray(fromByte)),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
