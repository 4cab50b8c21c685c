import { z } from 'zod'
import type { Provider } from '../provider.ts'
import { jobId } from './job-operation.ts'
import { webhookReader } from './webhook-reader.ts'

const event = z.object({ type: z.string(), data: z.unknown() })

const aboutJob = z.object({ id: jobId })

export interface EventReaderOptions {
  /** By its name, for error messages. */
  readonly provider: string
  readonly secret: string
  /** How the types of events about jobs begin, its dot included. An endpoint may be sent others, and tries. */
  readonly family: string
}

/** Reads signed events of the shape `{"type": "video.completed", "data": {"id": "…"}}`. */
export function eventReader({
  provider,
  secret,
  family,
}: EventReaderOptions): Required<Pick<Provider, 'parseWebhook'>> {
  return webhookReader({
    provider,
    secret,
    read: (body) => {
      const { data: told } = event.safeParse(body)
      if (told === undefined) return undefined
      const job = told.type.startsWith(family) ? aboutJob.safeParse(told.data).data : undefined
      return job === undefined ? { kind: 'other' } : { kind: 'hint', jobId: job.id }
    },
  })
}
