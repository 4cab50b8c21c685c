import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from '../media/is-missing.ts'
import { CommandError } from './command-error.ts'

/** Makes sure that a file can be written as `path`, or into it; throws a sentence if not. Its folder is made. */
export async function checkOutput(path: string, kind: 'file' | 'directory'): Promise<void> {
  const directory = kind === 'file' ? dirname(path) : path
  if (kind === 'file' && (await isDirectory(path))) {
    throw new CommandError(`-o "${path}" is a directory; name the file, too.`)
  }
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
  } catch (cause) {
    throw new CommandError(`"${directory}" must be a directory that can be written to; the video goes there.`, {
      cause,
    })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    // A slash at the end names a directory, even one that is not there yet.
    return path.endsWith('/') || (await stat(path)).isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
