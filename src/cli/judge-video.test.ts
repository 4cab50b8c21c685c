import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Json } from '../canonical/json.ts'
import { signManifest } from '../media/manifest.ts'
import { signingKey } from '../media/signing-key.ts'
import { type Evidence, judgeVideo, type RefusalReason } from './judge-video.ts'

const key = signingKey(Buffer.alloc(32, 1))
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const manifest = signManifest(
  {
    version: 1,
    task_id: 'task_1',
    media_sha256: hashOf('video'),
    media_size_bytes: 5,
    media_type: 'video/mp4',
    model: 'm',
    provider: 'p',
    digital_source_type: 'trainedAlgorithmicMedia',
    prompt_sha256: hashOf('a sea'),
    created_at: '2026-03-01T00:00:00.000Z',
  },
  key,
)
const content: Json = JSON.parse(JSON.stringify(manifest))
const evidence: Evidence = {
  sha256: hashOf('video'),
  found: { source: 'manifest.json', content },
  mark: undefined,
  publicKey: key.publicKey,
  prompt: undefined,
}

function assertRefused(change: Partial<Evidence>, why: RefusalReason, says: RegExp): void {
  const verdict = judgeVideo({ ...evidence, ...change })
  assert.ok(verdict.kind === 'refused')
  assert.equal(verdict.why, why)
  assert.match(verdict.message, says)
}

describe('judgeVideo', () => {
  it('takes the very file, with the prompt or without', () => {
    assert.deepEqual(judgeVideo(evidence), { kind: 'genuine', manifest })
    assert.deepEqual(judgeVideo({ ...evidence, prompt: 'a sea' }), { kind: 'genuine', manifest })
  })

  it('says why it refuses', () => {
    const [changed, extended]: Json[] = [
      { ...manifest, model: 'better' },
      { ...manifest, extra: 1 },
    ]
    const named: Json = { ...manifest, model: 'x', key_id: '\u001b[2J' }
    const found = (content: Json | undefined) => ({ found: { source: 'x.json', content } })
    assertRefused({ sha256: hashOf('video!') }, 'other_file', /other bytes/)
    assertRefused({ prompt: 'a lake' }, 'other_prompt', /not made from this prompt/)
    assertRefused(found(changed), 'signature', /changed after it was signed/)
    assertRefused({ publicKey: signingKey(Buffer.alloc(32, 2)).publicKey }, 'other_key', new RegExp(key.id))
    assertRefused(found(extended), 'malformed', /x\.json is not a manifest/)
    assertRefused(found(named), 'other_key', /names the key \?\[2J and/)
    for (const nonsense of [undefined, null, [], 'text', {}]) assertRefused(found(nonsense), 'malformed', /x\.json/)
  })

  it('tells a file that is only marked from one that says nothing', () => {
    const mark = { sourceType: 'algorithmicMedia', model: 'm', provider: 'p', taskId: 't' } as const
    assertRefused({ found: undefined }, 'no_manifest', /nothing says where it comes from/)
    assertRefused({ found: undefined, mark }, 'no_manifest', /nothing is confirmed.*anybody can write a mark/)
  })
})
