/** The longest silence at the end of a source that is its sound falling short of its picture, in samples: one frame's. */
const LONGEST_GAP = 2_000

/**
 * Fills the silence at the end of a source's last shares of sound (interleaved stereo), where an encoder left out the
 * last block, as ours does: with what was heard before, backwards, so that the wave goes on. Longer silence is meant.
 */
export function closeGap(shares: readonly Float32Array[]): void {
  const places = shares.flatMap((share) => Array.from({ length: share.length / 2 }, (_, pair) => ({ share, pair })))
  const heard = places.findLastIndex(({ share, pair }) => share[pair * 2] !== 0 || share[pair * 2 + 1] !== 0) + 1
  if (heard === 0 || places.length - heard > LONGEST_GAP) return
  for (const [index, { share, pair }] of places.slice(heard).entries()) {
    const before = places[heard - 1 - index]
    if (before === undefined) return
    share[pair * 2] = before.share[before.pair * 2] ?? 0
    share[pair * 2 + 1] = before.share[before.pair * 2 + 1] ?? 0
  }
}
