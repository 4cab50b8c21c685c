import { createWriteStream } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Reference } from '../../canonical/reference.ts'
import type { OpenReference } from '../provider.ts'

/**
 * Copies a job's references to this disk, where the render process reads them: `<job>.<number>.<ending>`. Those that are
 * there already stay: a file under its name is whole. Answers the paths in the order of `references`; throws when the
 * signal is aborted, and leaves what it was at to the next call, or to `discardReferences`.
 */
export async function fetchReferences(
  references: readonly Reference[],
  { openReference, jobPath, signal }: { openReference: OpenReference; jobPath: string; signal: AbortSignal },
): Promise<string[]> {
  const paths: string[] = []
  for (const [index, reference] of references.entries()) {
    const path = referencePath(jobPath, index, reference)
    if (!(await exists(path))) {
      const unfinished = `${path}.part`
      await pipeline(await openReference(reference), createWriteStream(unfinished), { signal })
      await rename(unfinished, path)
    }
    paths.push(path)
  }
  return paths
}

/** Deletes what `fetchReferences` left, whole or not. Twice is once. */
export async function discardReferences(references: readonly Reference[], jobPath: string): Promise<void> {
  for (const [index, reference] of references.entries()) {
    const path = referencePath(jobPath, index, reference)
    await rm(path, { force: true })
    await rm(`${path}.part`, { force: true })
  }
}

function referencePath(jobPath: string, index: number, { storeKey }: Reference): string {
  return `${jobPath}.${index}${extname(storeKey)}`
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
