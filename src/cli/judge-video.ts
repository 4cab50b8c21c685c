import { createHash, type KeyObject } from 'node:crypto'
import type { Json } from '../canonical/json.ts'
import { type Manifest, verifyManifest } from '../media/manifest.ts'
import { keyIdOf } from '../media/public-key.ts'
import type { Provenance } from '../media/xmp.ts'
import type { FoundManifest } from './find-manifest.ts'
import { printable } from './printable.ts'

export interface Evidence {
  /** SHA-256 of the file, hex. */
  readonly sha256: string
  readonly found: FoundManifest | undefined
  readonly mark: Provenance | undefined
  readonly publicKey: KeyObject
  /** A prompt that is said to be the one; `undefined` leaves it open. */
  readonly prompt: string | undefined
}

export type VideoVerdict =
  | { readonly kind: 'genuine'; readonly manifest: Manifest }
  | { readonly kind: 'refused'; readonly why: RefusalReason; readonly message: string }

export type RefusalReason = 'no_manifest' | 'malformed' | 'other_key' | 'signature' | 'other_file' | 'other_prompt'

/** Decides whether a file is what its manifest says. The message is one sentence, or two. */
export function judgeVideo({ sha256, found, mark, publicKey, prompt }: Evidence): VideoVerdict {
  if (found === undefined) return refused('no_manifest', noManifestMessage(mark))
  const { source, content = null } = found
  const verdict = verifyManifest(content, publicKey, sha256)
  if (verdict.kind === 'genuine') {
    const hash = prompt === undefined ? undefined : createHash('sha256').update(prompt, 'utf8').digest('hex')
    if (hash === undefined || hash === verdict.manifest.prompt_sha256) return verdict
    return refused('other_prompt', 'The file is genuine, but it was not made from this prompt.')
  }
  switch (verdict.why) {
    case 'malformed':
      return refused('malformed', `${source} is not a manifest of Reelay.`)
    case 'signature':
      return notSigned(content, publicKey)
    case 'other_file':
      return refused('other_file', 'The manifest is genuine, but of other bytes: the file was changed, or is another.')
  }
}

function notSigned(manifest: Json, publicKey: KeyObject): VideoVerdict {
  const [named, ours] = [keyIdIn(manifest), keyIdOf(publicKey)]
  if (named === ours) return refused('signature', 'The manifest was changed after it was signed, or is a forgery.')
  return refused('other_key', `The manifest names the key ${named} and not ${ours}: another installation made it.`)
}

function keyIdIn(manifest: Json): string {
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) return '?'
  return printable(String(manifest['key_id']))
}

function noManifestMessage(mark: Provenance | undefined): string {
  const advice =
    'name it with --manifest (the link of a video, with /manifest.json behind its path, gives it), or set REELAY_URL and REELAY_API_KEY'
  if (mark === undefined) {
    return `There is no manifest, and no mark of Reelay in the file: nothing says where it comes from. If there is one, ${advice}.`
  }
  return `There is no manifest, so nothing is confirmed: the file is marked as made by Reelay, but anybody can write a mark. To confirm it, ${advice}.`
}

function refused(why: RefusalReason, message: string): VideoVerdict {
  return { kind: 'refused', why, message }
}
