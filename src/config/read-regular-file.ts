import { readFile, stat } from 'node:fs/promises'

/** Reads a file whole. @throws Error where it is none, for what a pipe or a device gives may never end. */
export async function readRegularFile(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw Object.assign(new Error(`${path} is no regular file`), { code: 'no file' })
  return await readFile(path)
}
