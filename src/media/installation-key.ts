import type { Queryable } from '../db/database.ts'
import { instanceSecret } from '../db/instance-secrets.ts'
import { SIGNING_SEED_BYTES, type SigningKey, signingKey } from './signing-key.ts'

/** The key with which this installation signs manifests, made on first use; every node reads the same. */
export async function installationKey(db: Queryable): Promise<SigningKey> {
  return signingKey(await instanceSecret(db, 'manifest-signing', SIGNING_SEED_BYTES))
}
