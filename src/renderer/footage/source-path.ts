import type { FootageOrder } from './footage.ts'

/** Where the video stands that is to be changed or continued. */
export function sourcePath({ request, referencePaths }: FootageOrder): string {
  const path = referencePaths[request.references.findIndex(({ role }) => role === 'source')]
  if (path === undefined) throw new Error('the request has no source video')
  return path
}
