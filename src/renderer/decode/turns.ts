/** What has to be done to a stored picture to see it upright. */
export interface Turns {
  /** FFmpeg's filters, in order. */
  readonly filters: readonly string[]
  /** Whether width and height change places. */
  readonly isAcross: boolean
}

/**
 * Reads a display matrix as MP4 has it: nine 32-bit numbers by rows, of which the first two of the first two rows (16.16)
 * say where the stored picture's right and down point to. Only quarter turns and mirrors are known to videos.
 */
export function turnsOf(matrix: Buffer | null): Turns {
  if (matrix === null || matrix.length < 20) return { filters: [], isAcross: false }
  const [rightX, rightY, downX, downY] = [0, 4, 12, 16].map((at) => Math.sign(matrix.readInt32LE(at)))
  if (rightX !== 0 || downY !== 0) {
    return { filters: [...(rightX === -1 ? ['hflip'] : []), ...(downY === -1 ? ['vflip'] : [])], isAcross: false }
  }
  if (rightY === 0 || downX === 0) return { filters: [], isAcross: false }
  // FFmpeg's `transpose` by itself mirrors at the diagonal: right becomes down, and down becomes right.
  const flips = [...(downX === -1 ? ['hflip'] : []), ...(rightY === -1 ? ['vflip'] : [])]
  return { filters: ['transpose=cclock_flip', ...flips], isAcross: true }
}
