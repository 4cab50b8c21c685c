/**
 * The file of an export: gzip of lines of JSON. An object opens a part, an array is a row of the table opened last:
 *
 *     {"format":"reelay-export","version":1,"createdAt":"…","migrations":[{"name":"0001-accounts.sql","sha256":"…"}]}
 *     {"table":"accounts","columns":["id","name"]}
 *     ["0199f0…","Ada"]
 *     {"sequence":"wallets_id_seq","last":"17"}
 *     {"end":true,"rows":{"accounts":"1"},"sha256":"…"}
 *
 * Values are PostgreSQL's text form of each (or null), which loses nothing: 64-bit integers, bytes as hex, times in UTC
 * to the microsecond, JSON, arrays. The last line's SHA-256 is over all bytes before it, so what is cut off or altered
 * is noticed.
 */
import { z } from 'zod'

export const EXPORT_FORMAT = 'reelay-export'

/** Goes up with any change that an older import would misread. */
export const EXPORT_VERSION = 1

export const exportHeader = z.object({
  format: z.literal(EXPORT_FORMAT),
  version: z.number(),
  createdAt: z.string(),
  migrations: z.array(z.object({ name: z.string(), sha256: z.string() })),
})

export const exportPart = z.union([
  z.object({ table: z.string(), columns: z.array(z.string()) }),
  z.object({ sequence: z.string(), last: z.string().regex(/^-?\d+$/) }),
  z.object({ end: z.literal(true), rows: z.record(z.string(), z.string()), sha256: z.string() }),
])
export type ExportPart = z.infer<typeof exportPart>

/** The session settings under which a value's text form is exact and the same everywhere. */
export const EXACT_TEXT_SETTINGS = `set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';
  set local intervalstyle = 'iso_8601'; set local bytea_output = 'hex'; set local extra_float_digits = 1;
  set local statement_timeout = 0`
