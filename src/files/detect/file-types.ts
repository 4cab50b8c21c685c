import type { DetectedType } from '../received-file.ts'

/** The types of file that are taken. A model's policy may take fewer. */
export const FILE_TYPES = {
  'image/jpeg': { kind: 'image', mimeType: 'image/jpeg', ending: 'jpg' },
  'image/png': { kind: 'image', mimeType: 'image/png', ending: 'png' },
  'image/webp': { kind: 'image', mimeType: 'image/webp', ending: 'webp' },
  'video/mp4': { kind: 'video', mimeType: 'video/mp4', ending: 'mp4' },
  'video/quicktime': { kind: 'video', mimeType: 'video/quicktime', ending: 'mov' },
  'video/webm': { kind: 'video', mimeType: 'video/webm', ending: 'webm' },
  'audio/mpeg': { kind: 'audio', mimeType: 'audio/mpeg', ending: 'mp3' },
  'audio/mp4': { kind: 'audio', mimeType: 'audio/mp4', ending: 'm4a' },
  'audio/wav': { kind: 'audio', mimeType: 'audio/wav', ending: 'wav' },
  'audio/aac': { kind: 'audio', mimeType: 'audio/aac', ending: 'aac' },
  'audio/ogg': { kind: 'audio', mimeType: 'audio/ogg', ending: 'ogg' },
} as const satisfies Readonly<Record<string, DetectedType>>

export type TakenMimeType = keyof typeof FILE_TYPES

const CALLED: Readonly<Record<TakenMimeType, string>> = {
  'image/jpeg': 'a JPEG image',
  'image/png': 'a PNG image',
  'image/webp': 'a WebP image',
  'video/mp4': 'an MP4 video',
  'video/quicktime': 'a QuickTime video',
  'video/webm': 'a WebM video',
  'audio/mpeg': 'MP3 sound',
  'audio/mp4': 'MP4 sound',
  'audio/wav': 'WAV sound',
  'audio/aac': 'AAC sound',
  'audio/ogg': 'Ogg sound',
}

/** What completes the sentence “The file is …”. Throws for a type that is not taken: a detected one always is. */
export function calledOf(mimeType: string): string {
  const found = Object.entries(CALLED).find(([taken]) => taken === mimeType)
  if (found === undefined) throw new Error(`Files of type ${mimeType} are not taken.`)
  return found[1]
}
