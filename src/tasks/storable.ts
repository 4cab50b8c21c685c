/** An upstream's text as PostgreSQL can store it: without NUL. What it says must not keep a task from ending. */
export function storable(text: string): string {
  return text.replaceAll('\0', '')
}
