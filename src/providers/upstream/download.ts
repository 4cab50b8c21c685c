import type { FetchPolicy } from '../../media/fetch-policy.ts'
import { fetchUntrusted } from '../../media/fetch-untrusted.ts'
import { type AssetDownload, AssetGone, type ProducedAsset } from '../provider.ts'
import type { Upstream } from './upstream.ts'

/** A minute of 1080p over a slow line; a broken download is taken up where it broke. */
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000

/** As the collecting step does: what is larger is no clip. */
const MAX_BYTES = 2 * 1024 * 1024 * 1024

const MAX_REDIRECTS = 5

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** Answers to a link that has run out, or whose file is gone: the job may give another link. */
const GONE_STATUSES: readonly number[] = [401, 403, 404, 410]

/** Of a part: where it begins, and how long the whole is. */
const CONTENT_RANGE = /^bytes (\d+)-\d+\/(\d+|\*)$/

export interface LinkedVideo {
  readonly upstream: Upstream
  readonly fetchPolicy: FetchPolicy
  /** As the upstream gave it; relative to its base URL, or whole. */
  readonly url: string
  /** The key that the job was started with. */
  readonly credential: string | undefined
}

/**
 * A video behind a link that an upstream gave. A link to the upstream itself is followed with its key, wherever that
 * server stands; any other, also one that the upstream leads on to, is fetched like a customer's, without a key, from
 * public addresses only. A download that is taken up is of the same file, or of all of it from its beginning.
 */
export function linkedVideo({ upstream, fetchPolicy, url, credential }: LinkedVideo): ProducedAsset {
  /** The file as it was when it was asked for first. */
  let version: FileVersion | undefined

  return {
    kind: 'video',
    download: async ({ fromByte, signal }) => {
      let answer = await get({ fromByte, ifRange: version?.condition, signal })
      if (answer.status === 206 && !isOf(version, versionOf(answer))) {
        await answer[Symbol.asyncDispose]()
        answer = await get({ fromByte: 0, ifRange: undefined, signal })
      }
      if (answer.status === 200) version = versionOf(answer)
      return await downloadOf(answer, fromByte)
    },
  }

  async function get({ fromByte, ifRange, signal }: Part): Promise<Answer> {
    const headers = {
      accept: '*/*',
      ...(fromByte > 0 ? { range: `bytes=${fromByte}-` } : {}),
      ...(fromByte > 0 && ifRange !== undefined ? { 'if-range': ifRange } : {}),
    }
    let at = url
    for (let redirects = 0; upstream.owns(at); redirects += 1) {
      const call = { method: 'GET', path: at, headers, credential, signal } as const
      const answer = await upstream.download(call, DOWNLOAD_TIMEOUT_MS)
      const location = REDIRECTS.includes(answer.status) ? answer.headers.location : undefined
      if (location === undefined || redirects === MAX_REDIRECTS) return answer
      await answer[Symbol.asyncDispose]()
      at = new URL(location, upstream.locate(at)).href
    }
    const limits = { maxRedirects: MAX_REDIRECTS, timeoutMs: DOWNLOAD_TIMEOUT_MS, maxBytes: MAX_BYTES }
    return await fetchUntrusted({ method: 'GET', url: at, headers, ...limits, signal }, fetchPolicy)
  }
}

interface Part {
  readonly fromByte: number
  /** What `If-Range` asks for. */
  readonly ifRange: string | undefined
  readonly signal: AbortSignal
}

/** By what a file is known to be the same; what a server does not tell is not held against it. */
interface FileVersion {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly totalBytes: number | undefined
  /** For `If-Range`, which takes strong tags and dates alone (RFC 9110, 13.1.5). */
  readonly condition: string | undefined
}

function versionOf({ status, headers }: Answer): FileVersion {
  const [etag, lastModified] = [textOf(headers.etag), textOf(headers['last-modified'])]
  const total = status === 206 ? CONTENT_RANGE.exec(String(headers['content-range']))?.[2] : headers['content-length']
  const strong = etag?.startsWith('W/') === true ? undefined : etag
  return { etag, lastModified, totalBytes: wholeNumber(total), condition: strong ?? lastModified }
}

function isOf(known: FileVersion | undefined, found: FileVersion): boolean {
  const isSame = <T>(one: T | undefined, other: T | undefined) =>
    one === undefined || other === undefined || one === other
  return (
    known === undefined ||
    (isSame(known.etag, found.etag) &&
      isSame(known.lastModified, found.lastModified) &&
      isSame(known.totalBytes, found.totalBytes))
  )
}

type Answer = AsyncDisposable & {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Buffer>
}

/** Reads status and headers of a download. @throws AssetGone; Error for any other status than 200 and 206. */
async function downloadOf(answer: Answer, askedFrom: number): Promise<AssetDownload> {
  const { status, headers, body } = answer
  const close = () => answer[Symbol.asyncDispose]()
  if (status === 200) {
    return { fromByte: 0, totalBytes: wholeNumber(headers['content-length']), body, [Symbol.asyncDispose]: close }
  }
  const range = status === 206 ? CONTENT_RANGE.exec(String(headers['content-range'])) : null
  if (range !== null && Number(range[1]) === askedFrom) {
    return { fromByte: askedFrom, totalBytes: wholeNumber(range[2]), body, [Symbol.asyncDispose]: close }
  }
  await close()
  if (GONE_STATUSES.includes(status)) throw new AssetGone(`The link to the video answers ${status}.`)
  throw new Error(`The download of the video answers ${status}.`)
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
