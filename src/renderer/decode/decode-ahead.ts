/** Items that are made ahead of whoever takes them. */
export interface Ahead<Item> extends AsyncDisposable {
  /** The next item, or nothing after the last. Throws what the making threw, once the items before it are taken. */
  next(): Promise<Item | undefined>
}

/** Draws items out of a generator as soon as there is room for them, `depth` at the most. Disposing ends the generator. */
export function decodeAhead<Item>(items: AsyncGenerator<Item>, depth: number): Ahead<Item> {
  const ready: Item[] = []
  const state = { stopped: false, ended: false }
  let failure: { readonly cause: unknown } | undefined
  let wake: () => void = () => undefined
  /** Settles at the next change of what is ready. */
  let changed = new Promise<void>((resolve) => {
    wake = resolve
  })
  const change = () => {
    wake()
    changed = new Promise((resolve) => {
      wake = resolve
    })
  }
  const made = (async () => {
    try {
      for await (const item of items) {
        ready.push(item)
        change()
        while (ready.length >= depth && !state.stopped) await changed
        if (state.stopped) break
      }
    } catch (cause) {
      failure = { cause }
    }
    state.ended = true
    change()
  })()

  return {
    async next() {
      while (ready.length === 0 && !state.ended) await changed
      const item = ready.shift()
      if (item === undefined && failure !== undefined) throw failure.cause
      change()
      return item
    },
    async [Symbol.asyncDispose]() {
      state.stopped = true
      ready.length = 0
      change()
      await made
    },
  }
}
