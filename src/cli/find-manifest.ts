import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { parseId } from '../canonical/ids.ts'
import type { Json } from '../canonical/json.ts'
import { isMissing } from '../media/is-missing.ts'
import { manifestUrl } from '../media/manifest-url.ts'
import type { Provenance } from '../media/xmp.ts'
import { ApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import { fetchJson } from './fetch-json.ts'

export interface FoundManifest {
  /** A path or a URL. */
  readonly source: string
  /** `undefined` when it is no JSON. */
  readonly content: Json | undefined
}

export interface ManifestSearch {
  /** The video. */
  readonly file: string
  /** The one that was named, which must be there. */
  readonly manifest: string | undefined
  /** The server to ask, without a slash at the end. */
  readonly url: string | undefined
  readonly mark: Provenance | undefined
}

/** Finds a video's manifest: the named one, else one beside it, else by the mark's task at the server, for its customer. */
export async function findManifest({ file, manifest, url, mark }: ManifestSearch): Promise<FoundManifest | undefined> {
  if (manifest !== undefined) {
    const named = await readIfThere(manifest)
    if (named === undefined) throw new CommandError(`There is no file ${manifest}.`)
    return named
  }
  const beside =
    (await readIfThere(`${file}.manifest.json`)) ?? (await readIfThere(join(dirname(file), 'manifest.json')))
  return beside ?? (await fetchByTask(url, mark))
}

async function readIfThere(path: string): Promise<FoundManifest | undefined> {
  try {
    return { source: path, content: parse(await readFile(path, 'utf8')) }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The mark is whatever somebody wrote into the file: it only says what to ask for, and the signature decides. */
async function fetchByTask(url: string | undefined, mark: Provenance | undefined): Promise<FoundManifest | undefined> {
  const id = mark === undefined ? undefined : parseId('task', mark.taskId)
  const key = process.env['REELAY_API_KEY'] ?? ''
  if (url === undefined || id === undefined || key === '') return undefined
  const { result } = await new ApiClient({ url, key }).get(id)
  if (result === null) return undefined
  const source = manifestUrl(result.primary_url)
  return { source, content: await fetchJson(source, 'The manifest') }
}
