/** What passes between the server and the process that brings videos to another size. */
import { z } from 'zod'

export const reframeRequestSchema = z.strictObject({
  path: z.string(),
  /** Where the MP4 goes. */
  targetPath: z.string(),
  /** Pixels, both even. */
  width: z.int().positive(),
  height: z.int().positive(),
})
export type ReframeRequest = z.infer<typeof reframeRequestSchema>

export const reframeAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('made') }),
  z.strictObject({ kind: z.literal('failed'), message: z.string() }),
])
export type ReframeAnswer = z.infer<typeof reframeAnswerSchema>
