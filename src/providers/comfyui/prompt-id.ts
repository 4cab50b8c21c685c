import { createHash } from 'node:crypto'

/**
 * The id under which an attempt's prompt is known at ComfyUI, which takes UUIDs only: one of the kind that everybody makes
 * in their own way (RFC 9562, version 8), always the same for the same token.
 */
export function promptIdOf(token: string): string {
  const hex = createHash('sha256').update(token).digest('hex')
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) % 4]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
