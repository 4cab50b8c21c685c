/** What moves a terminal's cursor, breaks a line, turns the direction of text, or cannot be stored. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]+/gu

/**
 * A failure's text as it is stored and shown: one line of printable text. What it quotes comes from prompts and upstreams;
 * customers, logs and operators' terminals get it as it is stored.
 */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll(CONTROLS, ' ')
}
