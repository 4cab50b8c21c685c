/** A bounded number of places, or of bytes; who finds no room comes again later, for nobody waits here. */
export class Room {
  readonly #places: number
  #taken = 0

  constructor(places: number) {
    this.#places = places
  }

  get taken(): number {
    return this.#taken
  }

  /**
   * So many places, which are given back by disposing of them; `undefined` where there are not as many. Who needs more than
   * there ever are gets in alone.
   */
  enter(places = 1): Disposable | undefined {
    if (places > 0 && this.#taken > 0 && this.#taken + places > this.#places) return undefined
    this.#taken += places
    let isLeft = false
    return {
      [Symbol.dispose]: () => {
        if (!isLeft) this.#taken -= places
        isLeft = true
      },
    }
  }
}
