/**
 * The public half of the key that signs manifests, as it is handed out: an Ed25519 key as RFC 8037 writes it (section 2),
 * with the id by which manifests name it.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'

/** 32 bytes in base64url. */
const POINT = /^[A-Za-z0-9_-]{43}$/

const KEY_ID_HEX_DIGITS = 16

export const publicKeySchema = z.object({
  key_id: z.string(),
  algorithm: z.literal('Ed25519'),
  /** The 32 bytes of the public key in base64url: what `x` of the JWK is. */
  public_key: z.string().regex(POINT),
  jwk: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().regex(POINT) }),
})
export type PublicKeyDocument = z.infer<typeof publicKeySchema>

/** The first 16 hex digits of the SHA-256 of a public key in SPKI form. */
export function keyIdOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex').slice(0, KEY_ID_HEX_DIGITS)
}

export function publicKeyDocument(publicKey: KeyObject): PublicKeyDocument {
  const { x = '' } = publicKey.export({ format: 'jwk' })
  return {
    key_id: keyIdOf(publicKey),
    algorithm: 'Ed25519',
    public_key: x,
    jwk: { kty: 'OKP', crv: 'Ed25519', x },
  }
}

/** A public key from its 32 bytes in base64url; `undefined` if the text is something else. */
export function readPublicKey(text: string): KeyObject | undefined {
  if (!POINT.test(text)) return undefined
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
}
