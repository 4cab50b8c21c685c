import ipaddr from 'ipaddr.js'
import type { Bucket, BucketCredentials } from '../canonical/bucket.ts'
import { ConfigError } from './config-error.ts'

/** What the variables of the store hold, each `undefined` if it is absent. */
export interface BucketVariables {
  readonly REELAY_STORE: string | undefined
  readonly REELAY_S3_ENDPOINT: string | undefined
  readonly REELAY_S3_REGION: string | undefined
  readonly REELAY_S3_PATH_STYLE: string | undefined
  readonly AWS_ACCESS_KEY_ID: string | undefined
  readonly AWS_SECRET_ACCESS_KEY: string | undefined
  readonly AWS_SESSION_TOKEN: string | undefined
}

/** Variables that speak of nothing but the bucket; the keys may be there for other programs. */
const FOR_THE_BUCKET = ['REELAY_S3_ENDPOINT', 'REELAY_S3_REGION', 'REELAY_S3_PATH_STYLE'] as const

/** What services that have no regions expect in a signature. */
const REGION_OF_OTHERS = 'us-east-1'

/** Amazon's rules for names, which the other services share. */
const BUCKET_NAME = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/

/** As the keys of stored files, whose 512 characters have to fit behind it into the 1,024 bytes of a key in S3. */
const PREFIX = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/
const MAX_PREFIX_CHARACTERS = 256

/** The bucket that the environment names; `undefined`: media lie on the disk. Never shows a value that may be a secret. */
export function readBucket(variables: BucketVariables): Bucket | undefined {
  const { REELAY_STORE: store, REELAY_S3_PATH_STYLE: pathStyle } = variables
  if (store === undefined) {
    const lonely = FOR_THE_BUCKET.find((name) => variables[name] !== undefined)
    if (lonely === undefined) return undefined
    throw new ConfigError(`${lonely} needs REELAY_STORE=s3://<bucket>: without it media lie on the disk.`)
  }
  const { name, prefix } = readPlace(store)
  const endpoint = readEndpoint(variables.REELAY_S3_ENDPOINT)
  return {
    name,
    prefix,
    endpoint,
    region: readRegion(variables.REELAY_S3_REGION, endpoint),
    // A name with a dot is no host below Amazon's that a certificate covers; most other services take the path alone.
    isInPath: pathStyle === undefined ? endpoint !== undefined || name.includes('.') : readBoolean(pathStyle),
    credentials: readCredentials(variables),
  }
}

function readPlace(store: string): Pick<Bucket, 'name' | 'prefix'> {
  const [, name, path = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/.exec(store) ?? []
  if (name === undefined) {
    throw new ConfigError(
      'REELAY_STORE must be s3://<bucket>, s3://<bucket>/<prefix> or file:///<folder>; without it media lie in the data directory.',
    )
  }
  if (!BUCKET_NAME.test(name) || ipaddr.IPv4.isValidFourPartDecimal(name)) {
    throw new ConfigError(
      'REELAY_STORE names no bucket: 3 to 63 small letters, digits, dots and hyphens, with a letter or digit at each end.',
    )
  }
  const prefix = path.replace(/\/$/, '')
  if (prefix !== '' && (!PREFIX.test(prefix) || prefix.length > MAX_PREFIX_CHARACTERS)) {
    throw new ConfigError(
      'REELAY_STORE has a prefix that cannot begin a key: names of letters, digits, dots, hyphens and underscores, ' +
        `separated by single slashes, at most ${MAX_PREFIX_CHARACTERS} characters.`,
    )
  }
  return { name, prefix }
}

function readEndpoint(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isAddress = parsed !== undefined && ['http:', 'https:'].includes(parsed.protocol)
  if (!isAddress || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
    throw new ConfigError('REELAY_S3_ENDPOINT is not an http or https address without user, query or fragment.')
  }
  return url.replace(/\/+$/, '')
}

function readRegion(region: string | undefined, endpoint: string | undefined): string {
  if (region === undefined) {
    if (endpoint !== undefined) return REGION_OF_OTHERS
    throw new ConfigError(
      'REELAY_STORE needs REELAY_S3_REGION for a bucket of Amazon’s, or REELAY_S3_ENDPOINT for one elsewhere.',
    )
  }
  if (/^[a-z0-9-]{1,64}$/.test(region)) return region
  throw new ConfigError(`REELAY_S3_REGION=${region} is not the name of a region, such as eu-central-1.`)
}

function readBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new ConfigError(`REELAY_S3_PATH_STYLE=${text} is not one of true, false.`)
}

function readCredentials(variables: BucketVariables): BucketCredentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = variables
  if (AWS_ACCESS_KEY_ID !== undefined && AWS_SECRET_ACCESS_KEY !== undefined) {
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN,
    }
  }
  if (AWS_ACCESS_KEY_ID === undefined && AWS_SECRET_ACCESS_KEY === undefined) {
    if (AWS_SESSION_TOKEN === undefined) return undefined
    throw new ConfigError(
      'AWS_SESSION_TOKEN needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: it belongs to a pair of keys.',
    )
  }
  const [there, missing] =
    AWS_SECRET_ACCESS_KEY === undefined
      ? ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
      : ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']
  throw new ConfigError(
    `${there} needs ${missing}: REELAY_STORE is opened with both, or with what the SDK finds by itself.`,
  )
}
