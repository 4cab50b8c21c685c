/** A bounded number of places; who finds none comes again later, for nobody waits here. */
export class Room {
  readonly #places: number
  #taken = 0

  constructor(places: number) {
    this.#places = places
  }

  get taken(): number {
    return this.#taken
  }

  /** A place, which is given back by disposing of it; `undefined` where there is none. */
  enter(): Disposable | undefined {
    if (this.#taken >= this.#places) return undefined
    this.#taken += 1
    let isLeft = false
    return {
      [Symbol.dispose]: () => {
        if (!isLeft) this.#taken -= 1
        isLeft = true
      },
    }
  }
}
