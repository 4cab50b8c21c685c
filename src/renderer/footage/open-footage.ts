import type { Footage, FootageOrder } from './footage.ts'
import { openSceneFootage } from './scene-footage.ts'

/** Opens the footage that a request asks for. Throws when a reference cannot be read. */
export async function openFootage(order: FootageOrder): Promise<Footage> {
  const { operation, references } = order.request
  if (order.referencePaths.length !== references.length) {
    throw new RangeError(
      `${references.length} references were asked for, and ${order.referencePaths.length} files given`,
    )
  }
  // Loaded when it is needed: most clips are made from words alone, without a decoder.
  switch (operation) {
    case 'edit':
      return await (await import('./edit-footage.ts')).openEditFootage(order)
    case 'extend':
      return await (await import('./extend-footage.ts')).openExtendFootage(order)
    case 'generate':
      if (references.length === 0) return openSceneFootage(order)
      return await (await import('./still-footage.ts')).openStillFootage(order)
  }
}
