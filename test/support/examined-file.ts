import { createHash, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExaminedFile } from '../../src/files/received-file.ts'

/** A file in a folder that was received and examined, whatever its bytes: for what only carries files. */
export async function examinedFile(
  folder: string,
  content: Buffer,
  change: Partial<ExaminedFile> = {},
): Promise<ExaminedFile> {
  const path = join(folder, randomUUID())
  await writeFile(path, content)
  return {
    path,
    kind: 'image',
    mimeType: 'image/png',
    ending: 'png',
    name: 'picture.png',
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    width: 640,
    height: 360,
    durationSeconds: undefined,
    ...change,
  }
}
