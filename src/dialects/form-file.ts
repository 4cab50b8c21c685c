import { z } from 'zod'

/**
 * What stands in the body of a multipart form in the place of a file: enough for a schema to tell that one was sent, and
 * for two forms with different files to be different bodies. The bytes are named by the field, as `upload` origin.
 */
export const formFile = z.strictObject({
  filename: z.string(),
  /** Hex; of the bytes. */
  sha256: z.string(),
  size_bytes: z.int(),
})
export type FormFile = z.infer<typeof formFile>
