import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { BucketFault } from './bucket-fault.ts'

/** No upload of ours takes a day; what is older was left by a process that was killed. */
const STALE_AFTER_MS = 24 * 3_600_000

/** Aborted by one start, at some 20 ms each; the next start goes on. */
const MAX_ABORTED = 100

/** What services and policies say that do not let us list uploads. The store works without. */
const NOT_FOR_US = ['NotImplemented', 'MethodNotAllowed', 'AccessDenied']

export interface UploadSweep {
  readonly client: S3Client
  readonly bucket: string
  /** With the slash at its end, or empty. */
  readonly prefix: string
  readonly nowMs: number
}

/**
 * Aborts multipart uploads that were begun more than a day ago, whose parts would be paid for until then, and tells how
 * many. Others may be sweeping at the same time. Where it is not allowed to look it does nothing: a rule of the bucket's
 * life cycle does the same. Throws a `BucketFault` when the bucket cannot be reached at all, so it is a first check, too.
 */
export async function sweepStaleUploads({ client, bucket, prefix, nowMs }: UploadSweep): Promise<number> {
  const about = { Bucket: bucket }
  const listed = await client.send(new ListMultipartUploadsCommand({ ...about, Prefix: prefix })).catch((error) => {
    const fault = new BucketFault(`Looking into the bucket ${bucket}`, error)
    if (NOT_FOR_US.includes(fault.code)) return undefined
    throw fault
  })
  const stale = (listed?.Uploads ?? []).filter(({ Initiated }) => isStale(Initiated, nowMs)).slice(0, MAX_ABORTED)
  let swept = 0
  for (const { Key, UploadId } of stale) {
    const abort = new AbortMultipartUploadCommand({ ...about, Key, UploadId })
    // Somebody else was faster, or may and we may not: left for the next start.
    swept += await client.send(abort).then(
      () => 1,
      () => 0,
    )
  }
  return swept
}

function isStale(initiated: Date | undefined, nowMs: number): boolean {
  return initiated !== undefined && nowMs - initiated.getTime() > STALE_AFTER_MS
}
