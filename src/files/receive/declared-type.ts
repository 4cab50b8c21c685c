/** Other names under which senders declare what they send; their own names are no mistake. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'video/x-m4v': 'video/mp4',
  'audio/mp3': 'audio/mpeg',
  'audio/mpeg3': 'audio/mpeg',
  'audio/x-m4a': 'audio/mp4',
  'audio/m4a': 'audio/mp4',
  'audio/wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-aac': 'audio/aac',
  'audio/aacp': 'audio/aac',
  'audio/opus': 'audio/ogg',
  'application/ogg': 'audio/ogg',
}

/** Says nothing about what is sent. */
const ANYTHING = 'application/octet-stream'

/** Pairs that are the same container: only the tracks tell them apart, and the declared one may be right. */
const SAME_CONTAINER: readonly string[] = ['video/mp4', 'audio/mp4']

/** Whether a declared media type (in lower case, without parameters) may stand for a file of the detected one. */
export function isDeclaredType(declared: string, detected: string): boolean {
  const meant = OTHER_NAMES[declared] ?? declared
  if (meant === ANYTHING || meant === detected) return true
  return SAME_CONTAINER.includes(meant) && SAME_CONTAINER.includes(detected)
}
