import { createHash } from 'node:crypto'
import { isJsonObject, type Json } from '../canonical/json.ts'

/** A data URI up to this length stays as it is: shorter than what would stand for it. */
const SHORT_CHARACTERS = 256

/** A data URI's media type and parameters: what stands before the data. */
const DATA_URI_HEAD = /^[\0- ]*data:[^,]{0,256},/i

/**
 * A body as it is kept: megabytes of pictures in data URIs are replaced by `<head>sha256=<hex of the text>`. They are
 * stored as files, and a row is no place for them; two bodies with different pictures remain different bodies.
 */
export function withoutInlineFiles(value: Json): Json {
  if (typeof value === 'string') return isInlineFile(value) ? standIn(value) : value
  if (Array.isArray(value)) return value.map(withoutInlineFiles)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutInlineFiles(member)]))
}

function isInlineFile(text: string): boolean {
  return text.length > SHORT_CHARACTERS && DATA_URI_HEAD.test(text)
}

function standIn(uri: string): string {
  const [head = ''] = DATA_URI_HEAD.exec(uri) ?? []
  return `${head}sha256=${createHash('sha256').update(uri).digest('hex')}`
}
