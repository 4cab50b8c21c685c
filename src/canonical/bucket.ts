/** A bucket of an S3-compatible service: where it is, and how to get in. */
export interface Bucket {
  readonly name: string
  /** What every key in it begins with, without a slash at either end; `''`: the whole bucket. */
  readonly prefix: string
  /** The service's address, `http:` or `https:`, without a slash at the end; `undefined`: Amazon's for the region. */
  readonly endpoint: string | undefined
  readonly region: string
  /** Whether the bucket is named in the path, and not as a host below the endpoint's. */
  readonly isInPath: boolean
  /** `undefined`: the SDK looks for them itself, e.g. in the role of the machine. */
  readonly credentials: BucketCredentials | undefined
}

export interface BucketCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Goes with temporary keys. */
  readonly sessionToken: string | undefined
}
