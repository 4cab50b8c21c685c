import '../isolation/silence-demuxers.ts'
import { BrokenMedia, type BrokenMediaReason } from './broken-media.ts'
import { type ProbedVideo, probeVideo } from './probe.ts'

/** What passes between threads, which an error of a class of its own does not. */
export type Probing =
  | { readonly kind: 'probed'; readonly video: ProbedVideo }
  | { readonly kind: 'broken'; readonly reason: BrokenMediaReason; readonly message: string; readonly cause: unknown }

/** Runs in the thread of `probeInThread`. */
export async function run(path: string): Promise<Probing> {
  try {
    return { kind: 'probed', video: await probeVideo(path) }
  } catch (error) {
    if (!(error instanceof BrokenMedia)) throw error
    const { reason, message, cause } = error
    return { kind: 'broken', reason, message, cause }
  }
}
