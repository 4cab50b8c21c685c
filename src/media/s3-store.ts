/**
 * Media in a bucket of an S3-compatible service. An object appears whole when its last request is answered, or not at
 * all. A file of one part is one request; a larger one is a multipart upload, which is aborted when it fails, and by a
 * later start when the process was killed.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { Bucket } from '../canonical/bucket.ts'
import { BucketFault } from './bucket-fault.ts'
import { endWhenSilent } from './end-when-silent.ts'
import { MissingFile } from './missing-file.ts'
import { makeS3Client } from './s3-client.ts'
import type { ByteSpan, Store, StoredFile } from './store.ts'
import { checkStoreKey } from './store-key.ts'
import { sweepStaleUploads } from './sweep-stale-uploads.ts'

/**
 * Bytes of a part. S3 wants at least 5 MiB and allows 10,000 parts: 80 GB. Most videos are smaller than one part, and
 * then there is one request.
 */
const PART_BYTES = 8 * 1024 ** 2

/** Parts of one file sent at once. With the one being gathered and garbage, a `put` of 200 MiB held 64 to 77 MiB. */
const PARTS_AT_ONCE = 2

/** Bytes read and hashed at a time: hashing this much holds the event loop for well under a millisecond. */
const CHUNK_BYTES = 256 * 1024

/** A part over 0.6 Mbit/s; or the service putting the parts of a large file together. */
const WRITTEN_WITHIN_MS = 120_000

/** The first try and two more: a hiccup is bridged, an outage is told within seconds. */
const WRITING_ATTEMPTS = 3

/**
 * To the first byte of a file. Somebody waits for it, often with a time-out of 30 s: a bucket that hangs is told as an outage
 * well before that, after both attempts.
 */
const FOUND_WITHIN_MS = 5_000
const READING_ATTEMPTS = 2

/** Sockets for writing; the SDK's own number. More requests than that wait. */
const WRITING_SOCKETS = 50

export class S3Store implements Store, AsyncDisposable {
  readonly #bucket: Bucket
  /** `''`, or the prefix with its slash. */
  readonly #prefix: string
  readonly #writer: S3Client
  /**
   * Reads alone: a reader who pauses must neither lose his file, nor keep others from writing. Its sockets are as many
   * as the server's own connections, each of which reads one file.
   */
  readonly #reader: S3Client

  private constructor(bucket: Bucket) {
    this.#bucket = bucket
    this.#prefix = bucket.prefix === '' ? '' : `${bucket.prefix}/`
    this.#writer = makeS3Client(bucket, {
      answerWithinMs: WRITTEN_WITHIN_MS,
      silentAtMostMs: WRITTEN_WITHIN_MS,
      maxAttempts: WRITING_ATTEMPTS,
      maxSockets: WRITING_SOCKETS,
    })
    this.#reader = makeS3Client(bucket, {
      answerWithinMs: FOUND_WITHIN_MS,
      silentAtMostMs: 0,
      maxAttempts: READING_ATTEMPTS,
      maxSockets: Number.POSITIVE_INFINITY,
    })
  }

  /** Opens the bucket and clears what a crash left in it. Throws a `BucketFault` if it cannot be reached. */
  static async open(bucket: Bucket, nowMs: number = Date.now()): Promise<S3Store> {
    const store = new S3Store(bucket)
    try {
      await sweepStaleUploads({ client: store.#writer, bucket: bucket.name, prefix: store.#prefix, nowMs })
      return store
    } catch (error) {
      await store[Symbol.asyncDispose]()
      throw error
    }
  }

  async put(key: string, sourcePath: string): Promise<StoredFile> {
    const object = this.#objectOf(key)
    const hash = createHash('sha256')
    let sizeBytes = 0
    const measure = (bytes: Buffer) => {
      hash.update(bytes)
      sizeBytes += bytes.length
    }
    const body = Readable.from(chunksOf(sourcePath, measure), { objectMode: false })
    try {
      const params = { ...object, Body: body }
      await new Upload({ client: this.#writer, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done()
      return { sizeBytes, sha256: hash.digest() }
    } catch (error) {
      throw this.#fault('Writing', key, error)
    } finally {
      body.destroy()
    }
  }

  async open(key: string, span?: ByteSpan): Promise<Readable> {
    const range = span === undefined ? {} : { Range: `bytes=${span.start}-${span.end}` }
    const command = new GetObjectCommand({ ...this.#objectOf(key), ...range })
    const answer = await this.#reader.send(command).catch((error: unknown) => {
      const fault = this.#fault('Reading', key, error)
      throw fault.code === 'NoSuchKey' ? new MissingFile(key) : fault
    })
    const body = answer.Body
    if (!(body instanceof IncomingMessage)) throw new Error('The SDK gave no stream of bytes.')
    if (span !== undefined && !answer.ContentRange?.startsWith(`bytes ${span.start}-${span.end}/`)) {
      body.destroy()
      throw new Error(`The bucket ${this.#bucket.name} gave other bytes of ${key} than the asked ones.`)
    }
    endWhenSilent(body)
    return body
  }

  async stat(key: string): Promise<{ readonly sizeBytes: number } | undefined> {
    const command = new HeadObjectCommand(this.#objectOf(key))
    const head = await this.#reader.send(command).catch((error: unknown) => {
      const fault = this.#fault('Looking at', key, error)
      // An answer to HEAD has no body that could say whether the bucket is missing, too; `open` can tell.
      if (fault.status === 404) return undefined
      throw fault
    })
    if (head === undefined) return undefined
    if (head.ContentLength === undefined)
      throw new Error(`The bucket ${this.#bucket.name} does not say how long ${key} is.`)
    return { sizeBytes: head.ContentLength }
  }

  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#objectOf(key))
    await this.#writer.send(command).catch((error: unknown) => {
      throw this.#fault('Deleting', key, error)
    })
  }

  async deleteAll(folder: string, { except }: { readonly except?: string } = {}): Promise<void> {
    const kept = except === undefined ? undefined : `${this.#objectOf(except).Key}/`
    for await (const object of this.#objectsIn(folder)) {
      if (kept !== undefined && object.startsWith(kept)) continue
      // One by one: some services that speak S3 cannot delete several at once.
      await this.delete(object.slice(this.#prefix.length))
    }
  }

  async *#objectsIn(folder: string): AsyncGenerator<string> {
    const { Bucket, Key } = this.#objectOf(folder)
    let ContinuationToken: string | undefined
    do {
      const command = new ListObjectsV2Command({ Bucket, Prefix: `${Key}/`, ContinuationToken })
      const page = await this.#writer.send(command).catch((error: unknown) => {
        throw this.#fault('Listing', folder, error)
      })
      for (const { Key: key } of page.Contents ?? []) if (key !== undefined) yield key
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
  }

  async check(): Promise<void> {
    const written = randomUUID()
    const key = `check/${written}`
    const folder = await mkdtemp(join(tmpdir(), 'reelay-check-'))
    try {
      const source = join(folder, 'written')
      await writeFile(source, written)
      await this.put(key, source)
      const read = await buffer(await this.open(key))
      await this.delete(key)
      if (read.toString() !== written) {
        throw new Error(`The bucket ${this.#bucket.name} gives back other bytes than it got.`)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** Closes its connections; what is under way breaks off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.destroy()
    this.#reader.destroy()
  }

  #objectOf(key: string): { readonly Bucket: string; readonly Key: string } {
    checkStoreKey(key)
    return { Bucket: this.#bucket.name, Key: `${this.#prefix}${key}` }
  }

  #fault(doing: string, key: string, error: unknown): BucketFault {
    return new BucketFault(`${doing} ${key} in the bucket ${this.#bucket.name}`, error)
  }
}

/** The bytes of a file, each chunk shown to `measure` on its way. */
async function* chunksOf(path: string, measure: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  const file: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  for await (const bytes of file) {
    measure(bytes)
    yield bytes
  }
}
