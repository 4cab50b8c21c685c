import { FileRefused } from './file-refused.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** The refusal of a file for which its owner's plan has no room left. `leftBytes` may be negative. */
export function noRoom({ leftBytes, maxStoredBytes }: { leftBytes: number; maxStoredBytes: number }): FileRefused {
  const left = `${Math.max(0, Math.floor(leftBytes / MIB))} MiB`
  return new FileRefused('no_room', {
    found: `larger than the room that this account has left: ${left} of the ${maxStoredBytes / GIB} GiB of its plan`,
    allowed: 'what fits, some minutes after other files were deleted or have expired',
  })
}
