/** Content types of what is stored, made here or brought by customers, and the file name's ending that goes with each. */
export const ENDINGS = {
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/wav': 'wav',
  'audio/aac': 'aac',
  'audio/ogg': 'ogg',
  'application/json': 'json',
} as const

/** The ending for a content type; throws for one that no part of Reelay stores. */
export function endingOf(mimeType: string): string {
  const found = Object.entries(ENDINGS).find(([known]) => known === mimeType)
  if (found === undefined) throw new Error(`Media of type ${mimeType} are not stored here.`)
  return found[1]
}
