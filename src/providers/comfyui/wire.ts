/** What is read of ComfyUI's answers. Source: `server.py` and `execution.py` there. */
import { z } from 'zod'
import { jobId } from '../upstream/job-operation.ts'

/** What is wrong with the nodes of a graph, by their ids. */
const nodeErrors = z.record(
  z.string(),
  z.object({
    errors: z
      .array(
        z.object({
          type: z.string().nullish(),
          message: z.string().nullish(),
          details: z.string().nullish(),
          extra_info: z.object({ input_name: z.string().nullish() }).nullish().catch(undefined),
        }),
      )
      .catch([]),
    /** Ids of the output nodes that do not run because of it. */
    dependent_outputs: z.array(z.string()).catch([]),
    class_type: z.string().nullish(),
  }),
)
export type NodeErrors = z.infer<typeof nodeErrors>

/** The answer to `POST /prompt`; the id is the caller's. Without errors old servers answer a list. */
export const queuedPrompt = z.object({ prompt_id: jobId, node_errors: nodeErrors.optional().catch(undefined) })

/** A prompt that was refused. */
export const refusal = z.object({
  error: z.object({ type: z.string() }),
  node_errors: nodeErrors.optional().catch(undefined),
})

/** Of a prompt in the queue: its number, its id, its graph and more. */
const queued = z.tuple([z.unknown(), z.string()], z.unknown())

/** `GET /queue`. */
export const queue = z.object({ queue_running: z.array(queued), queue_pending: z.array(queued) })

/** A file that a node saved, in one of its lists; the lists hold other things too (SaveVideo's `"animated": [true]`). */
export const savedFile = z.object({
  filename: z.string(),
  subfolder: z.string().default(''),
  type: z.string().default('output'),
})
export type SavedFile = z.infer<typeof savedFile>

/** A finished prompt: what each node gave, by its id. Old servers give no status. */
export const finishedPrompt = z.object({
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
  status: z
    .object({
      status_str: z.string().nullish(),
      completed: z.boolean().nullish(),
      messages: z.array(z.unknown()).nullish(),
    })
    .nullish(),
})
export type FinishedPrompt = z.infer<typeof finishedPrompt>

/** `GET /history/{id}`: empty where the prompt is not finished, or not known. */
export const history = z.record(z.string(), finishedPrompt)

/** What goes with the message `execution_error` of a failed prompt. Messages are pairs of a name and an object. */
export const executionError = z.object({ node_type: z.string().nullish(), exception_message: z.string().nullish() })

export const uploadedPicture = z.object({ name: z.string().min(1), subfolder: z.string().default('') })
