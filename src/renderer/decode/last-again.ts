import type { Ahead } from './decode-ahead.ts'

/** Takes items one by one; after the last one, that one again. Throws when there was none. */
export function lastAgain<Item>(items: Ahead<Item>): () => Promise<Item> {
  let last: Item | undefined
  return async () => {
    last = (await items.next()) ?? last
    if (last === undefined) throw new Error('The video has no picture that can be decoded.')
    return last
  }
}
