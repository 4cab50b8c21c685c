import type { MovingPicture } from './moving-picture.ts'

/** The pictures that are open: those of the shots that are seen, and the next one, which is read meanwhile. */
export class PictureShelf {
  readonly #open: (picture: number) => Promise<MovingPicture>
  readonly #pictures = new Map<number, Promise<MovingPicture>>()

  constructor(open: (picture: number) => Promise<MovingPicture>) {
    this.#open = open
  }

  take(picture: number): Promise<MovingPicture> {
    const known = this.#pictures.get(picture)
    if (known !== undefined) return known
    const opened = this.#open(picture)
    // Met by whoever takes it; until then it must not end the process.
    opened.catch(() => undefined)
    this.#pictures.set(picture, opened)
    return opened
  }

  /** Opens what is not open of these, and lets go of all others. */
  keep(wanted: readonly number[]): void {
    for (const picture of this.#pictures.keys()) if (!wanted.includes(picture)) this.#pictures.delete(picture)
    for (const picture of wanted) void this.take(picture)
  }
}
