import type { UpstreamRequest } from './speech.ts'

export interface ReceivedPart {
  readonly name: string
  /** Of a file. */
  readonly fileName: string | undefined
  readonly bytes: Buffer
}

/** RFC 2046: a boundary has up to 70 characters. */
const CONTENT_TYPE = /^multipart\/form-data; boundary=(\S{1,70})$/

/** The parts of a `multipart/form-data` body, in order; `undefined` where the request has no such body. */
export function formParts({ headers, body }: Pick<UpstreamRequest, 'headers' | 'body'>): ReceivedPart[] | undefined {
  const boundary = CONTENT_TYPE.exec(headers['content-type'] ?? '')?.[1]
  if (boundary === undefined) return undefined
  const parts: ReceivedPart[] = []
  const line = Buffer.from(`--${boundary}`)
  for (let at = body.indexOf(line); ; ) {
    const next = body.indexOf(line, at + line.length)
    if (next === -1) return parts
    // Between the line's own break and the one that belongs to the next line.
    const part = body.subarray(at + line.length + 2, next - 2)
    const headEnd = part.indexOf('\r\n\r\n')
    const head = part.subarray(0, headEnd).toString()
    parts.push({
      name: /; name="([^"]*)"/.exec(head)?.[1] ?? '',
      fileName: /; filename="([^"]*)"/.exec(head)?.[1],
      bytes: part.subarray(headEnd + 4),
    })
    at = next
  }
}
