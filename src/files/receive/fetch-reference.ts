import { ALLOWED_SCHEME, checkUrl } from '../../media/check-url.ts'
import { FetchError } from '../../media/fetch-error.ts'
import { fetchUntrusted } from '../../media/fetch-untrusted.ts'
import type { FilesContext } from '../files-context.ts'
import { MAX_FILE_BYTES, MAX_NAME_CHARACTERS } from '../kind-limits.ts'
import type { ReceivedFile } from '../received-file.ts'
import { refusedReference } from '../refused-reference.ts'
import { receiveFile } from './receive-file.ts'

/** As many as browsers allow for a link that was moved, shortened and moved again; more is a circle. */
const MAX_REDIRECTS = 5

/** A file of the largest size over 14 Mbit/s; the caller's own client waits as long as this. */
const TIMEOUT_MS = 30_000

/** What is taken of a URL, so that a host that offers several forms of a picture sends none that is refused. */
const ACCEPT = 'image/jpeg, image/png, image/webp, video/mp4, video/quicktime, video/webm, audio/*, */*;q=0.1'

const ALLOWED = 'an https URL that answers with the file itself'

/**
 * Fetches a customer's URL once, into the scratch folder.
 * @throws Refusal that names the field, and no address that the customer did not send.
 * @throws FileRefused for what is not taken.
 */
export async function fetchReference(
  { fetchPolicy, scratch }: Pick<FilesContext, 'fetchPolicy' | 'scratch'>,
  { url, field, signal }: { readonly url: string; readonly field: string; readonly signal: AbortSignal },
): Promise<ReceivedFile> {
  try {
    await using answer = await fetchUntrusted(
      {
        method: 'GET',
        url,
        headers: { accept: ACCEPT },
        maxRedirects: MAX_REDIRECTS,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_FILE_BYTES,
        signal,
      },
      fetchPolicy,
    )
    if (answer.status !== 200) {
      throw refusedReference({
        field,
        wrong: `cannot be fetched: its server answers ${answer.status}`,
        allowed: ALLOWED,
      })
    }
    return await receiveFile(answer.body, { directory: scratch, name: nameOf(answer.url), signal })
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    const isForbidden = error.reason === 'url_refused' || error.reason === 'address_refused'
    const code = isForbidden ? 'url_rejected' : 'invalid_field'
    const wrong = `cannot be fetched: ${error.message.replace(/\.$/, '')}`
    // A URL that is refused says itself what is allowed.
    if (wrong.includes('; allowed: ')) {
      const [why = wrong, ofUrl = ALLOWED] = wrong.split('; allowed: ')
      // What was sent may be a data URI instead, while a redirect cannot lead to one.
      const isSent = checkUrl(url, fetchPolicy).kind === 'refused'
      const allowed = isSent && ofUrl.startsWith(ALLOWED_SCHEME) ? `${ofUrl}, or a data URI` : ofUrl
      throw refusedReference({ code, field, wrong: why, allowed, cause: error })
    }
    throw refusedReference({ code, field, wrong, allowed: ALLOWED, cause: error })
  }
}

/** The last part of the path, as a person wrote it; without what no name of a file can have. */
function nameOf(url: string): string {
  const name = decoded(new URL(url).pathname.split('/').at(-1) ?? '')
  return Array.from(name.replace(/\p{Cc}/gu, ''))
    .slice(0, MAX_NAME_CHARACTERS)
    .join('')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: it is for showing only, and is shown as it stands.
    return text
  }
}
