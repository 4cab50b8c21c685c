/**
 * Neither white space, nor a control, format or private character, nor a mark without a letter, nor one of those that
 * Unicode has shown as nothing (zero-width, fillers, variation selectors, tags); and not the empty pattern of Braille.
 */
const VISIBLE = /[^\s\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Whether a text has nothing in it that a reader would see. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text)
}
