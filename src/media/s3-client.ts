import { S3Client } from '@aws-sdk/client-s3'
import type { Bucket } from '../canonical/bucket.ts'

/** A connection takes some milliseconds, or a packet was lost once or twice. */
const CONNECT_WITHIN_MS = 5_000

export interface S3ClientLimits {
  /** From the start of a request, whose body counts, to the head of the answer. */
  readonly answerWithinMs: number
  /** How long a socket may be silent; 0: for ever. */
  readonly silentAtMostMs: number
  /** The first try and those after it, between which the SDK makes growing pauses. */
  readonly maxAttempts: number
  readonly maxSockets: number
}

/**
 * A client for one bucket that takes nothing from the SDK's own variables and files but, where the bucket names none,
 * the credentials. Checksums beyond the signature are left out unless an operation needs them: the signature covers the
 * body already, and services other than Amazon's refuse what they do not know.
 */
export function makeS3Client(bucket: Bucket, limits: S3ClientLimits): S3Client {
  const { endpoint, credentials, region, isInPath } = bucket
  return new S3Client({
    region,
    forcePathStyle: isInPath,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: identityOf(credentials) }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: limits.maxAttempts,
    retryMode: 'standard',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: limits.answerWithinMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.silentAtMostMs,
      httpAgent: { keepAlive: true, maxSockets: limits.maxSockets },
      httpsAgent: { keepAlive: true, maxSockets: limits.maxSockets },
    },
  })
}

function identityOf({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<Bucket['credentials']>) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}
