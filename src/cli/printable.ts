/** More than any id or name of ours has. */
const MAX_CHARACTERS = 200

/** A text from a file of unknown origin, fit for a terminal: nothing in it moves the cursor or rings the bell. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, MAX_CHARACTERS)
}
