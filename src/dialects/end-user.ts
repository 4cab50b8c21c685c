import { storableText } from './read-input.ts'

/** Of an id of the caller's own: a hash, an e-mail address, a UUID. No vendor names a most. */
const MAX_CHARACTERS = 512

/** Whom the caller makes a video for; of no effect on it. */
export const endUser = storableText.max(MAX_CHARACTERS)
