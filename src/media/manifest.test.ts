import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Json } from '../canonical/json.ts'
import { type ManifestClaims, signManifest, verifyManifest } from './manifest.ts'
import { signingKey } from './signing-key.ts'

const key = signingKey(Buffer.alloc(32, 1))
const sha256 = createHash('sha256').update('video').digest('hex')
const claims: ManifestClaims = {
  version: 1,
  task_id: 'task_1',
  media_sha256: sha256,
  media_size_bytes: 5,
  media_type: 'video/mp4',
  model: 'm',
  provider: 'p',
  digital_source_type: 'trainedAlgorithmicMedia',
  prompt_sha256: sha256,
  created_at: '2026-03-01T00:00:00.000Z',
}
const throughJson = (value: unknown): Json => JSON.parse(JSON.stringify(value))

describe('verifyManifest', () => {
  it('takes what signManifest made, in any order of keys', () => {
    const manifest = signManifest(claims, key)
    const reversed = Object.fromEntries(Object.entries(manifest).reverse())
    assert.equal(verifyManifest(throughJson(reversed), key.publicKey, sha256).kind, 'genuine')
    assert.equal(manifest.key_id, key.id)
  })

  it('is the same each time for one seed', () => {
    assert.deepEqual(signManifest(claims, key), signManifest(claims, signingKey(Buffer.alloc(32, 1))))
  })

  it('derives the key of RFC 8032, 7.1, test 1', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const spki = signingKey(seed).publicKey.export({ type: 'spki', format: 'der' })
    const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
    assert.equal(spki.subarray(-32).toString('hex'), expected)
    assert.throws(() => signingKey(Buffer.alloc(31)), /32 bytes/)
  })

  it('refuses any changed claim, another key, another file and nonsense', () => {
    const manifest = throughJson(signManifest(claims, key))
    const refuse = (changed: Json, why: string, hash = sha256, publicKey = key.publicKey) =>
      assert.deepEqual(verifyManifest(changed, publicKey, hash), { kind: 'refused', why })
    assert.ok(typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest))
    for (const claim of ['task_id', 'media_type', 'model', 'provider', 'key_id']) {
      refuse({ ...manifest, [claim]: 'changed' }, 'signature')
    }
    refuse({ ...manifest, digital_source_type: 'algorithmicMedia' }, 'signature')
    refuse({ ...manifest, signature: 'AAAA' }, 'signature')
    refuse({ ...manifest, extra: 'claim' }, 'malformed')
    refuse('{}', 'malformed')
    refuse(null, 'malformed')
    refuse(manifest, 'other_file', '0'.repeat(64))
    refuse(manifest, 'signature', sha256, signingKey(Buffer.alloc(32, 2)).publicKey)
  })
})
