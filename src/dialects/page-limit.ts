import { z } from 'zod'

/** Small enough to answer at once. No vendor documents more. */
const MAX_PAGE = 100
const DEFAULT_PAGE = 20

/** How many elements of a list a query asks for: 1 to 100, by default 20. */
export const pageLimit = z
  .string()
  .regex(/^(?:[1-9][0-9]?|100)$/, { error: `a whole number from 1 to ${MAX_PAGE}` })
  .transform(Number)
  .default(DEFAULT_PAGE)
