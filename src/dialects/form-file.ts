import { z } from 'zod'

const aboutFile = z.strictObject({
  filename: z.string(),
  /** Hex; of the bytes. */
  sha256: z.string(),
  size_bytes: z.int(),
})

/**
 * What stands in the body of a multipart form in the place of a file: enough for a schema to tell that one was sent, and
 * for two forms with different files to be different bodies. The bytes are named by the field, as `upload` origin.
 */
export type FormFile = z.infer<typeof aboutFile>

/** A file of a form: to whoever sends one, its bytes. A part without a file name is a text. */
export const formFile = z
  .unknown()
  .refine((value) => aboutFile.safeParse(value).success, { error: 'a file, in a part with a file name' })
  .meta({ type: 'string', format: 'binary' })
