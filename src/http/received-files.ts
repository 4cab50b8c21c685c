import { rm } from 'node:fs/promises'
import type { FastifyRequest } from 'fastify'
import type { ReceivedFile } from '../files/received-file.ts'

/** The files of one request's form, by the names of their fields. Disposing deletes what is left of them on this disk. */
export class ReceivedFiles extends Map<string, ReceivedFile> implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {
    const files = [...this.values()]
    this.clear()
    await Promise.all(files.map(({ path }) => rm(path, { force: true })))
  }
}

const filesOf = new WeakMap<FastifyRequest, ReceivedFiles>()

/** The files that came with a request; none where it is not a form. Whoever answers the request disposes of them. */
export function receivedFilesOf(request: FastifyRequest): ReceivedFiles {
  const known = filesOf.get(request)
  if (known !== undefined) return known
  const files = new ReceivedFiles()
  filesOf.set(request, files)
  return files
}
