import process from 'node:process'

const WIDTH = 32

/** One line on standard error that is drawn over; on anything but a terminal, a line for each new text. */
export class ProgressBar {
  #last = ''

  /** Shows `percent` of 100, with a word for what is happening. */
  show(percent: number, word: string): void {
    const done = Math.round((WIDTH * percent) / 100)
    const line = `${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${String(percent).padStart(3)} %  ${word}`
    if (line === this.#last) return
    this.#last = line
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`)
    else process.stderr.write(`${line}\n`)
  }

  /** Leaves the line as it is and goes on below it. */
  end(): void {
    if (process.stderr.isTTY && this.#last !== '') process.stderr.write('\n')
    this.#last = ''
  }
}
