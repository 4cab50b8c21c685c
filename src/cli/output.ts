import process from 'node:process'

/** How a command answers: for people, or as one JSON value on standard output. */
export interface OutputOptions {
  readonly json?: boolean
}

/** Prints a command's result: the value with `--json`, else the lines. */
export function print(options: OutputOptions, value: unknown, lines: readonly string[]): void {
  process.stdout.write(options.json === true ? `${toJson(value)}\n` : `${forTerminal(lines.join('\n'))}\n`)
}

/** A text for a terminal, whoever wrote the parts of it: nothing in it moves the cursor, rings the bell or sets the title. */
export function forTerminal(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, '?')
}

/** JSON with credits as numbers: they are far below 2^53. No text of others in it moves the cursor of a terminal. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? Number(member) : member))
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}

/** Columns as wide as their widest cell, under a header. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
