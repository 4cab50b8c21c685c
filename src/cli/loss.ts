/** Whatever it is that a process cannot go on without is lost: told once, also to who asks later. */
export class Loss {
  readonly #listeners: ((reason: Error) => void)[] = []
  #reason: Error | undefined

  /** Only the first reason counts. */
  tell(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    for (const listener of this.#listeners.splice(0)) listener(reason)
  }

  onLost(callback: (reason: Error) => void): void {
    if (this.#reason === undefined) this.#listeners.push(callback)
    else callback(this.#reason)
  }
}
