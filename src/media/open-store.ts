import type { Bucket } from '../canonical/bucket.ts'
import { DiskStore } from './disk-store.ts'
import type { Store } from './store.ts'

/**
 * Opens the configured store: the bucket, or without one the folder `directory` on this machine's disk. The SDK for
 * buckets takes a third of a second and 30 MB to load, so only those who have one load it.
 */
export async function openStore(bucket: Bucket | undefined, directory: string): Promise<Store & AsyncDisposable> {
  if (bucket === undefined) return DiskStore.open(directory)
  const { S3Store } = await import('./s3-store.ts')
  return S3Store.open(bucket)
}
