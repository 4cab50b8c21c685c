/**
 * The signed sidecar of a video: who made it from what, bound by hash to its exact bytes. The signature is Ed25519
 * (RFC 8032) over the canonical JSON (keys sorted, no white space) of everything but the signature itself.
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson, type Json } from '../canonical/json.ts'
import type { SigningKey } from './signing-key.ts'
import { SOURCE_TYPES } from './xmp.ts'

const SHA256_HEX = /^[0-9a-f]{64}$/

const claimsSchema = z.strictObject({
  version: z.literal(1),
  task_id: z.string(),
  /** Of the video as it is served, mark included. */
  media_sha256: z.string().regex(SHA256_HEX),
  media_size_bytes: z.int().positive(),
  media_type: z.string(),
  model: z.string(),
  provider: z.string(),
  digital_source_type: z.enum(SOURCE_TYPES),
  /** Of the prompt in UTF-8: it can be confirmed by who knows it, and read by nobody. */
  prompt_sha256: z.string().regex(SHA256_HEX),
  /** When the task was created, so that making the manifest again gives the same manifest. */
  created_at: z.iso.datetime(),
})
export type ManifestClaims = z.infer<typeof claimsSchema>

const manifestSchema = claimsSchema.extend({
  algorithm: z.literal('Ed25519'),
  key_id: z.string(),
  /** 64 bytes in base64url. */
  signature: z.string(),
})
export type Manifest = z.infer<typeof manifestSchema>

/** Signs what is said about a video. Ed25519 is deterministic: equal claims and key give an equal manifest. */
export function signManifest(claims: ManifestClaims, key: SigningKey): Manifest {
  const signed = { ...claims, algorithm: 'Ed25519', key_id: key.id } as const
  return { ...signed, signature: sign(null, Buffer.from(canonicalJson(signed)), key.privateKey).toString('base64url') }
}

export type ManifestVerdict =
  | { readonly kind: 'genuine'; readonly manifest: Manifest }
  /** No manifest at all, not signed by this key, changed since, or of another file. */
  | { readonly kind: 'refused'; readonly why: 'malformed' | 'signature' | 'other_file' }

/** Judges a parsed manifest by the installation's public key and the SHA-256 (hex) of the file it came with. */
export function verifyManifest(manifest: Json, publicKey: KeyObject, sha256: string): ManifestVerdict {
  const parsed = manifestSchema.safeParse(manifest)
  if (!parsed.success) return { kind: 'refused', why: 'malformed' }
  const { signature, ...signed } = parsed.data
  const isSigned = verify(null, Buffer.from(canonicalJson(signed)), publicKey, Buffer.from(signature, 'base64url'))
  if (!isSigned) return { kind: 'refused', why: 'signature' }
  if (signed.media_sha256 !== sha256) return { kind: 'refused', why: 'other_file' }
  return { kind: 'genuine', manifest: parsed.data }
}
