import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Json, JsonObject } from '../canonical/json.ts'
import { invalidField, Refusal } from '../canonical/refusal.ts'
import type { FormFile } from '../dialects/form-file.ts'
import { isStorable, STORABLE_TEXT } from '../dialects/read-input.ts'
import { FileRefused } from '../files/file-refused.ts'
import { receiveFile } from '../files/receive/receive-file.ts'
import { type ReceivedFiles, receivedFilesOf } from './received-files.ts'
import { refusalOfFile } from './refusal-of-file.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether files in the forms of a route are received. They are read past where they are not. */
    readonly takesFiles?: boolean
  }
}

/** Parts of a form: more than any route has fields, few enough to be read at once. */
const MAX_PARTS = 64

/** Bytes of one field: the longest prompt, escaped, fits many times. */
const MAX_FIELD_BYTES = 64 * 1024

/** Files of one form: more than any route takes, which says so better than we can here. */
const MAX_FILES = 4

/**
 * Bytes of a whole form: the largest file (a video of 50 MiB), the fields, and some room. Where files are not taken they
 * are read past: whoever sends a picture learns from the route what is wrong with that, and not that the form is too
 * large. Beyond this nobody shall keep a connection busy for nothing.
 */
const MAX_FORM_BYTES = 64 * 1024 * 1024

/** What a decoder puts where bytes are not UTF-8. */
const REPLACEMENT = '\u{fffd}'

/** At most 70 characters (RFC 2046, 5.1.1). */
const BOUNDARY = /;\s*boundary=(?:"[^"]{1,70}"|[^";\s]{1,70})\s*(?:;|$)/i

/**
 * Lets the routes of a scope take `multipart/form-data`: each field becomes a text in the body under its own name. A file
 * goes to the folder `scratch` as it comes in, and into `receivedFilesOf` the request; in the body stands a `FormFile`.
 */
export function takeForms(app: FastifyInstance, { scratch }: { readonly scratch: string }): void {
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest, payload: Readable) => {
    const files = receivedFilesOf(request)
    const directory = request.routeOptions.config.takesFiles === true ? scratch : undefined
    return await readForm({ headers: request.headers, payload, files, directory })
  })
}

/** Lets the routes of a scope take `multipart/form-data`, as `takeForms` does, and no other body. */
export function takeFormsOnly(app: FastifyInstance, options: { readonly scratch: string }): void {
  app.removeAllContentTypeParsers()
  takeForms(app, options)
  app.addContentTypeParser('*', async () => {
    const message = 'The body must be a form: send the header "Content-Type: multipart/form-data" with its boundary.'
    throw new Refusal('unsupported_media_type', message)
  })
}

interface IncomingForm {
  readonly headers: FastifyRequest['headers']
  readonly payload: Readable
  /** Where files are put; disposed of when the form is refused. */
  readonly files: ReceivedFiles
  /** The folder for files; `undefined` where none are taken. */
  readonly directory: string | undefined
}

/** Ends with the first thing that is wrong, however much of the form is still to come: that remains unread. */
async function readForm({ headers, payload, files, directory }: IncomingForm): Promise<Json> {
  const contentType = headers['content-type'] ?? ''
  if (!BOUNDARY.test(contentType)) {
    throw new Refusal('malformed_body', 'The form has no boundary of 1 to 70 characters in its Content-Type.')
  }
  if (Number(headers['content-length']) > MAX_FORM_BYTES) throw tooLarge()
  const { promise, resolve, reject } = deferred<void>()
  const form = parserOf(contentType)
  const body: JsonObject = Object.create(null)
  let receivedBytes = 0
  form.on('field', (name, value, nameCut, valueCut) => {
    const wrong = wrongField({ name, value, isCut: nameCut || valueCut, body })
    if (wrong === undefined) body[name] = value
    else reject(wrong)
  })
  const incoming: Readable[] = []
  const receiving: Promise<void>[] = []
  form.on('file', (name, file, filename = '') => {
    file.on('error', (cause) => {
      // Whoever receives it destroys it when it reads no further, and says why.
      if (!file.destroyed) reject(unreadable(cause, receivedBytes))
    })
    const wrong = wrongFile({ name, filename, body, count: incoming.push(file) })
    if (wrong !== undefined || directory === undefined) file.resume()
    if (wrong !== undefined) return reject(wrong)
    body[name] = { filename }
    if (directory === undefined) return
    const received = receiveFile(file, { directory, name: filename }).then((received) => {
      files.set(name, received)
      body[name] = { filename, sha256: received.sha256, size_bytes: received.sizeBytes } satisfies FormFile
    })
    receiving.push(received.catch((error) => reject(error instanceof FileRefused ? refusalOfFile(name, error) : error)))
  })
  form.on('partsLimit', () => reject(new Refusal('body_too_large', `The form has more than ${MAX_PARTS} parts.`)))
  form.on('finish', () => Promise.all(receiving).then(() => resolve()))
  form.on('error', (cause) => reject(unreadable(cause, receivedBytes)))
  payload.on('error', (cause) => reject(new Refusal('malformed_body', 'The form is cut off.', { cause })))
  const count = (chunk: Buffer) => {
    receivedBytes += chunk.length
    if (receivedBytes > MAX_FORM_BYTES) reject(tooLarge())
  }
  payload.on('data', count)
  payload.pipe(form)
  try {
    await promise
    return { ...body }
  } catch (error) {
    payload.off('data', count).unpipe(form).pause()
    for (const file of incoming) file.destroy()
    await Promise.all(receiving)
    await files[Symbol.asyncDispose]()
    throw error
  }
}

/** Throws for what only looks as if it had a boundary, such as one within the quotation marks of another parameter. */
function parserOf(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: MAX_PARTS, fieldSize: MAX_FIELD_BYTES },
    })
  } catch (cause) {
    throw new Refusal('malformed_body', 'The Content-Type of the form cannot be read.', { cause })
  }
}

/** What is wrong with a field, if anything is. Of a part without a name, busboy gives `undefined`. */
function wrongField(field: {
  readonly name: string | undefined
  readonly value: string
  readonly isCut: boolean
  readonly body: JsonObject
}): Refusal | undefined {
  const { name, value, isCut, body } = field
  const wrongName = wrongPart(name, body)
  if (name === undefined || wrongName !== undefined) return wrongName
  // The file of a client that does not name it comes here as well: nothing of it is repeated.
  const isText = `The field ${name} is read as a text, for its part has no file name, and`
  if (isCut) return new Refusal('body_too_large', `${isText} is too large; allowed: ${MAX_FIELD_BYTES} bytes.`)
  if (value.includes(REPLACEMENT)) return new Refusal('malformed_body', `${isText} is not UTF-8.`)
  if (isStorable(value)) return undefined
  const message = `${name} cannot be used: it has a NUL; allowed: ${STORABLE_TEXT}.`
  return new Refusal('invalid_field', message, { detail: { field: name, allowed: STORABLE_TEXT } })
}

function wrongFile(file: {
  readonly name: string | undefined
  readonly filename: string
  /** Of the files so far, this one included. */
  readonly count: number
  readonly body: JsonObject
}): Refusal | undefined {
  const { name, filename, count, body } = file
  const wrongName = wrongPart(name, body)
  if (name === undefined || wrongName !== undefined) return wrongName
  if (count > MAX_FILES) return new Refusal('body_too_large', `The form has more than ${MAX_FILES} files.`)
  return isStorable(filename) ? undefined : invalidField({ field: name, value: filename, allowed: STORABLE_TEXT })
}

function wrongPart(name: string | undefined, body: JsonObject): Refusal | undefined {
  if (name === undefined) return new Refusal('malformed_body', 'The form has a part without a name.')
  if (!isStorable(name)) {
    const shown = JSON.stringify(name)
    return new Refusal('malformed_body', `The field name ${shown} cannot be used; allowed: ${STORABLE_TEXT}.`)
  }
  return Object.hasOwn(body, name) ? new Refusal('invalid_field', `The field ${name} was sent twice.`) : undefined
}

function tooLarge(): Refusal {
  return new Refusal('body_too_large', `The form is too large; allowed: ${MAX_FORM_BYTES} bytes.`)
}

/** Of a body without its end busboy says nothing else, wherever it ends; an empty one it does not tell apart. */
const UNEXPECTED_END = /unexpected end/i

function unreadable(cause: unknown, receivedBytes: number): Refusal {
  const isCut = cause instanceof Error && UNEXPECTED_END.test(cause.message)
  const wrong = receivedBytes === 0 ? 'it is empty' : 'the boundary that ends it is missing'
  return new Refusal('malformed_body', `The form cannot be read${isCut ? `: ${wrong}` : ''}.`, { cause })
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
