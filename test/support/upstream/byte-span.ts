import type { SpeechAnswer } from './speech.ts'

/** A file as a plain web server gives it: whole, or from the byte that `Range` names. */
export function byteSpan(file: Buffer, range: string | undefined): SpeechAnswer {
  const from = /^bytes=(\d+)-$/.exec(range ?? '')?.[1]
  const headers = { 'content-type': 'video/mp4' }
  if (from === undefined) return { status: 200, headers, body: file }
  const first = Number(from)
  if (first >= file.length) return { status: 416, headers: { 'content-range': `bytes */${file.length}` } }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${file.length - 1}/${file.length}` },
    body: file.subarray(first),
  }
}
