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
 * public addresses only.
 */
export function linkedVideo({ upstream, fetchPolicy, url, credential }: LinkedVideo): ProducedAsset {
  return {
    kind: 'video',
    download: async ({ fromByte, signal }) => {
      const headers = { accept: '*/*', ...(fromByte > 0 ? { range: `bytes=${fromByte}-` } : {}) }
      let at = url
      for (let redirects = 0; upstream.owns(at); redirects += 1) {
        const call = { method: 'GET', path: at, headers, credential, signal } as const
        const answer = await upstream.download(call, DOWNLOAD_TIMEOUT_MS)
        const location = REDIRECTS.includes(answer.status) ? answer.headers.location : undefined
        if (location === undefined || redirects === MAX_REDIRECTS) return await downloadOf(answer, fromByte)
        await answer[Symbol.asyncDispose]()
        at = new URL(location, upstream.origin).href
      }
      const limits = { maxRedirects: MAX_REDIRECTS, timeoutMs: DOWNLOAD_TIMEOUT_MS, maxBytes: MAX_BYTES }
      const answer = await fetchUntrusted({ method: 'GET', url: at, headers, ...limits, signal }, fetchPolicy)
      return await downloadOf(answer, fromByte)
    },
  }
}

type Answer = AsyncDisposable & {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Buffer>
}

/** Reads status and headers of a download. @throws AssetGone; Error for any other status than 200 and 206. */
export async function downloadOf(answer: Answer, askedFrom: number): Promise<AssetDownload> {
  const { status, headers, body } = answer
  const close = () => answer[Symbol.asyncDispose]()
  if (status === 200) {
    return { fromByte: 0, totalBytes: wholeNumber(headers['content-length']), body, [Symbol.asyncDispose]: close }
  }
  const range = status === 206 ? /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers['content-range'])) : null
  if (range !== null && Number(range[1]) === askedFrom) {
    return { fromByte: askedFrom, totalBytes: wholeNumber(range[2]), body, [Symbol.asyncDispose]: close }
  }
  await close()
  if (GONE_STATUSES.includes(status)) throw new AssetGone(`The link to the video answers ${status}.`)
  throw new Error(`The download of the video answers ${status}.`)
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
