import { Busboy } from '@fastify/busboy'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Json, JsonObject } from '../canonical/json.ts'
import { invalidField, Refusal } from '../canonical/refusal.ts'
import { isStorable, STORABLE_TEXT } from '../dialects/read-input.ts'

/** Parts of a form: more than any route has fields, few enough to be read at once. */
const MAX_PARTS = 64

/** Bytes of one field: the longest prompt, escaped, fits many times. */
const MAX_FIELD_BYTES = 64 * 1024

/**
 * Bytes of a whole form. Files in it are read past, not kept: whoever sends a picture learns from the route what is wrong
 * with that, and not that the form is too large. Beyond this nobody shall keep a connection busy for nothing.
 */
const MAX_FORM_BYTES = 64 * 1024 * 1024

/** What a decoder puts where bytes are not UTF-8. */
const REPLACEMENT = '\u{fffd}'

/** At most 70 characters (RFC 2046, 5.1.1). */
const BOUNDARY = /;\s*boundary=(?:"[^"]{1,70}"|[^";\s]{1,70})\s*(?:;|$)/i

/** What stands in a body for a file that was sent: its name, for a route's schema to refuse or take. */
export interface FormFile extends JsonObject {
  readonly filename: string
}

/** Lets the routes of a scope take `multipart/form-data`: each field becomes a text in the body under its own name. */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser('multipart/form-data', (request: FastifyRequest, payload: NodeJS.ReadableStream) =>
    readForm(request, payload),
  )
}

function readForm(request: FastifyRequest, payload: NodeJS.ReadableStream): Promise<Json> {
  const { promise, resolve, reject } = deferred<Json>()
  const contentType = request.headers['content-type'] ?? ''
  if (!BOUNDARY.test(contentType)) {
    const message = 'The form has no boundary of 1 to 70 characters in its Content-Type.'
    return Promise.reject(new Refusal('malformed_body', message))
  }
  const form = new Busboy({
    headers: { 'content-type': contentType },
    limits: { parts: MAX_PARTS, fieldSize: MAX_FIELD_BYTES, fileSize: 0 },
  })
  const body: JsonObject = Object.create(null)
  form.on('field', (name, value, nameCut, valueCut) => {
    if (nameCut || valueCut) reject(new Refusal('body_too_large', `The field ${name} is too large.`))
    else if (!isStorable(name)) reject(badName(name))
    else if (!isStorable(value)) reject(invalidField({ field: name, value, allowed: STORABLE_TEXT }))
    else if (value.includes(REPLACEMENT)) reject(new Refusal('malformed_body', `The field ${name} is not UTF-8.`))
    else if (Object.hasOwn(body, name)) reject(new Refusal('invalid_field', `The field ${name} was sent twice.`))
    else body[name] = value
  })
  form.on('file', (name, file, filename) => {
    file.resume()
    if (!isStorable(name)) reject(badName(name))
    else if (!isStorable(filename)) reject(invalidField({ field: name, value: filename, allowed: STORABLE_TEXT }))
    else body[name] = { filename } satisfies FormFile
  })
  form.on('partsLimit', () => reject(new Refusal('body_too_large', `The form has more than ${MAX_PARTS} parts.`)))
  form.on('finish', () => resolve({ ...body }))
  form.on('error', (cause) => reject(new Refusal('malformed_body', 'The form cannot be read.', { cause })))
  payload.on('error', (cause) => reject(new Refusal('malformed_body', 'The form is cut off.', { cause })))
  let receivedBytes = 0
  payload.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length
    if (receivedBytes <= MAX_FORM_BYTES) return
    payload.unpipe(form)
    reject(new Refusal('body_too_large', `The form is too large; allowed: ${MAX_FORM_BYTES} bytes.`))
  })
  payload.pipe(form)
  return promise
}

function badName(name: string): Refusal {
  return new Refusal(
    'malformed_body',
    `The field name ${JSON.stringify(name)} cannot be used; allowed: ${STORABLE_TEXT}.`,
  )
}

function deferred<Value>(): {
  promise: Promise<Value>
  resolve: (value: Value) => void
  reject: (error: unknown) => void
} {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
