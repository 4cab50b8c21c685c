import { type FileHandle, open } from 'node:fs/promises'
import type { VideoContainer } from '../video-container.ts'
import { stripBoxes } from './strip-boxes.ts'
import { stripWebm } from './strip-webm.ts'

/**
 * Takes out of a video, in place, whatever is free text in its container: tags, comments, titles, names of programs and
 * tracks, boxes that no player reads. Programs write there what its maker keeps to himself: a whole workflow with its
 * models, prompts and folders. What is taken out is overwritten and stays as empty space, so that no offset changes; not one
 * byte of picture or sound does. Statements of provenance stay: C2PA manifests, IPTC's digital source type.
 * @throws BrokenMedia where the container is no whole one.
 */
export async function stripTags(path: string, container: VideoContainer): Promise<void> {
  const file: FileHandle = await open(path, 'r+')
  try {
    await (container === 'webm' ? stripWebm(file) : stripBoxes(file))
  } finally {
    await file.close()
  }
}
