import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** Bytes of an Ed25519 seed: the private key is derived from it (RFC 8032, 5.1.5). */
export const SIGNING_SEED_BYTES = 32

/** An Ed25519 key that signs manifests. */
export interface SigningKey {
  /** The first 16 hex digits of the SHA-256 of the public key in SPKI form. */
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What stands in front of the seed in a PKCS #8 private key (RFC 8410, 7), the only form that Node takes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

const KEY_ID_HEX_DIGITS = 16

/** The key for a seed of this installation. */
export function signingKey(seed: Buffer): SigningKey {
  if (seed.length !== SIGNING_SEED_BYTES) throw new Error(`An Ed25519 seed has 32 bytes, not ${seed.length}.`)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { id: createHash('sha256').update(spki).digest('hex').slice(0, KEY_ID_HEX_DIGITS), privateKey, publicKey }
}
