import { codingsOf } from '../../media/fetch-coding.ts'
import type { FetchPolicy } from '../../media/fetch-policy.ts'
import { fetchUntrusted } from '../../media/fetch-untrusted.ts'
import { type AssetDownload, AssetGone, type PollOutcome, type ProducedAsset } from '../provider.ts'
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
  /** Whole, as `Upstream.resolve` gives it; or the path of a route of the API itself, below its base URL. */
  readonly url: string
  /** The key that the job was started with. */
  readonly credential: string | undefined
}

/**
 * A video behind a link that an upstream gave. A link to the upstream itself is followed with its key, wherever that
 * server stands; any other, also one that the upstream leads on to, is fetched like a customer's, without a key, from
 * public addresses only. A download that is taken up is of the same file, or of all of it from its beginning.
 */
export function linkedVideo({ upstream, fetchPolicy, url, credential }: LinkedVideo): LinkedAsset {
  /** The file as it was when it was asked for first. */
  let version: FileVersion | undefined

  return {
    kind: 'video',
    download: async ({ fromByte, signal }) => {
      // A range counts bytes of the coded file: what came coded is fetched whole again.
      const from = version?.isCoded === true ? 0 : fromByte
      let answer = await get({ fromByte: from, ifRange: version?.condition, signal })
      const found = versionOf(answer)
      if (answer.status === 206 && (found.isCoded || !isOf(version, found))) {
        await answer[Symbol.asyncDispose]()
        answer = await get({ fromByte: 0, ifRange: undefined, signal })
      }
      if (answer.status === 200) version = versionOf(answer)
      return await downloadOf(answer, fromByte)
    },
  }

  async function get({ fromByte, ifRange, signal }: Part): Promise<Answer> {
    const headers = {
      accept: 'video/*, */*;q=0.1',
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

/** Makes an asset of a URL that stands in an answer; `undefined` where that is no URL. */
export type LinkReader = (reference: string) => LinkedAsset | undefined

/** `askedPath`: what was asked, for an answer may name the video relative to that. */
export function linkReader({
  askedPath,
  ...about
}: Omit<LinkedVideo, 'url'> & { readonly askedPath: string }): LinkReader {
  return (reference) => {
    const url = about.upstream.resolve(reference.trim(), askedPath)
    return url === undefined ? undefined : linkedVideo({ ...about, url })
  }
}

/** What a finished job comes to, by the reference to its video that the answer gives, if it gives one. */
export function linkedSuccess(reference: string | undefined, videoAt: LinkReader): PollOutcome {
  const video = reference === undefined ? undefined : videoAt(reference)
  return { kind: 'succeeded', assets: video === undefined ? [] : [video] }
}

export type LinkedAsset = Extract<ProducedAsset, { download: unknown }>

/** A video that is at the first place, or at the second where the first does not have it. */
export function firstThatIsThere(first: LinkedAsset, second: LinkedAsset): LinkedAsset {
  return {
    kind: 'video',
    download: async (wanted) => {
      try {
        return await first.download(wanted)
      } catch (error) {
        if (!(error instanceof AssetGone)) throw error
        return await second.download(wanted)
      }
    },
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
  /** Of what is written, without content codings. */
  readonly totalBytes: number | undefined
  /** Whether it came with a content coding. */
  readonly isCoded: boolean
  /** For `If-Range`, which takes strong tags and dates alone (RFC 9110, 13.1.5). */
  readonly condition: string | undefined
}

function versionOf({ status, headers }: Answer): FileVersion {
  const [etag, lastModified] = [textOf(headers.etag), textOf(headers['last-modified'])]
  const total = status === 206 ? CONTENT_RANGE.exec(String(headers['content-range']))?.[2] : lengthOf(headers)
  const strong = etag?.startsWith('W/') === true ? undefined : etag
  const isCoded = codingsOf(textOf(headers['content-encoding'])).length > 0
  return { etag, lastModified, totalBytes: wholeNumber(total), isCoded, condition: strong ?? lastModified }
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
    return { fromByte: 0, totalBytes: wholeNumber(lengthOf(headers)), body, [Symbol.asyncDispose]: close }
  }
  const range = status === 206 ? CONTENT_RANGE.exec(String(headers['content-range'])) : null
  if (range !== null && Number(range[1]) === askedFrom) {
    return { fromByte: askedFrom, totalBytes: wholeNumber(range[2]), body, [Symbol.asyncDispose]: close }
  }
  await close()
  if (GONE_STATUSES.includes(status)) throw new AssetGone(`The link to the video answers ${status}.`)
  throw new Error(`The download of the video answers ${status}.`)
}

/** The length that was announced; that of a coded body says nothing about what comes out of it. */
function lengthOf(headers: Answer['headers']): string | string[] | undefined {
  return codingsOf(textOf(headers['content-encoding'])).length > 0 ? undefined : headers['content-length']
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
