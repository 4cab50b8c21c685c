/** What passes between the server and the process that draws its posters and spritesheets. */
import { z } from 'zod'

export const posterRequestSchema = z.strictObject({
  /** A poster is one frame; a spritesheet is a grid of frames over the whole length. */
  kind: z.enum(['poster', 'spritesheet']),
  videoPath: z.string(),
  /** Where the JPEG goes. */
  picturePath: z.string(),
  /** The video's length, which says where the frames are taken. */
  durationSeconds: z.number().nonnegative(),
})
export type PosterRequest = z.infer<typeof posterRequestSchema>

export const posterAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('made'), width: z.int().positive(), height: z.int().positive() }),
  z.strictObject({ kind: z.literal('failed'), message: z.string() }),
])
export type PosterAnswer = z.infer<typeof posterAnswerSchema>
