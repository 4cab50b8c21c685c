import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { keyIdOf } from './public-key.ts'

/** Bytes of an Ed25519 seed: the private key is derived from it (RFC 8032, 5.1.5). */
export const SIGNING_SEED_BYTES = 32

/** An Ed25519 key that signs manifests. */
export interface SigningKey {
  /** `keyIdOf` its public key. */
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What stands in front of the seed in a PKCS #8 private key (RFC 8410, 7), the only form that Node takes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key for a seed of this installation. */
export function signingKey(seed: Buffer): SigningKey {
  if (seed.length !== SIGNING_SEED_BYTES) throw new Error(`An Ed25519 seed has 32 bytes, not ${seed.length}.`)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return { id: keyIdOf(publicKey), privateKey, publicKey }
}
