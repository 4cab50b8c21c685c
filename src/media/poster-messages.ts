/** What passes between the server and its poster process. */
import { z } from 'zod'

export const posterRequestSchema = z.strictObject({
  videoPath: z.string(),
  /** Where the JPEG goes. */
  posterPath: z.string(),
  /** The video's length: the frame is taken at a third of it. */
  durationSeconds: z.number().nonnegative(),
})
export type PosterRequest = z.infer<typeof posterRequestSchema>

export const posterAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('made'), width: z.int().positive(), height: z.int().positive() }),
  z.strictObject({ kind: z.literal('failed'), message: z.string() }),
])
export type PosterAnswer = z.infer<typeof posterAnswerSchema>
