import { type FinishedPrompt, type SavedFile, savedFile } from './wire.ts'

/** What can be taken as a video. An animated WebP or GIF is a picture to every player. */
const VIDEO_NAME = /\.(mp4|webm|mov)$/i

/**
 * The video that a finished prompt saved: the first of its files that is one, whatever the list is called (SaveVideo's is
 * `images`, that of the Video Helper Suite `gifs`); one in the output folder before one that is only a preview.
 */
export function findVideo({ outputs }: FinishedPrompt): SavedFile | undefined {
  const videos = Object.values(outputs)
    .flatMap((output) => Object.values(output))
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .flatMap((entry) => savedFile.safeParse(entry).data ?? [])
    .filter(({ filename }) => VIDEO_NAME.test(filename))
  return videos.find(({ type }) => type === 'output') ?? videos[0]
}

/** Where ComfyUI serves a file. */
export function viewPath({ filename, subfolder, type }: SavedFile): string {
  return `/view?${new URLSearchParams({ filename, subfolder, type })}`
}
