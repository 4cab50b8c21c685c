import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProducedAsset } from '../provider.ts'
import completed from './fixtures/completed.json' with { type: 'json' }
import completedSglang from './fixtures/completed-sglang.json' with { type: 'json' }
import created from './fixtures/created.json' with { type: 'json' }
import failed from './fixtures/failed.json' with { type: 'json' }
import failedSglang from './fixtures/failed-sglang.json' with { type: 'json' }
import inProgress from './fixtures/in-progress.json' with { type: 'json' }
import moderated from './fixtures/moderated.json' with { type: 'json' }
import { readVideo } from './read-video.ts'

const content: ProducedAsset = { kind: 'video', path: '/content' }
const atContent = () => content

test('a job goes on with the progress that it tells', () => {
  assert.deepEqual(readVideo(created, atContent), { kind: 'pending', progress: 0 })
  assert.deepEqual(readVideo(inProgress, atContent), { kind: 'pending', progress: 33 })
  assert.deepEqual(readVideo({ id: 'a', status: 'queued' }, atContent), { kind: 'pending' })
})

test('a completed job has its content, whoever completed it', () => {
  for (const json of [completed, completedSglang, { id: 'a', status: 'completed' }]) {
    assert.deepEqual(readVideo(json, atContent), { kind: 'succeeded', assets: [content] })
  }
})

test('a failed job tells the customer nothing of what the upstream said', () => {
  const outcome = readVideo(failedSglang, atContent)
  assert.ok(outcome.kind === 'failed')
  assert.equal(outcome.failure.reason, 'generation_failed')
  assert.doesNotMatch(outcome.failure.message, /CUDA/)
  assert.match(outcome.cause ?? '', /CUDA out of memory/)
})

test('failures keep their reason where a code tells it', () => {
  const reasonOf = (code: string) => {
    const outcome = readVideo({ ...failed, error: { code, message: 'no' } }, atContent)
    return outcome.kind === 'failed' ? outcome.failure.reason : outcome.kind
  }
  assert.equal(reasonOf('generation_failed'), 'generation_failed')
  assert.equal(reasonOf('invalid_input'), 'unsupported_input')
  assert.equal(reasonOf('expired'), 'expired')
  const outcome = readVideo(moderated, atContent)
  assert.ok(outcome.kind === 'failed')
  assert.equal(outcome.failure.reason, 'moderated')
})

test('a job that was deleted over there is no longer waited for', () => {
  assert.equal(readVideo({ ...created, status: 'deleted' }, atContent).kind, 'failed')
})

test('a status word that is new keeps the job going, and is told', () => {
  const outcome = readVideo({ ...inProgress, status: 'post_processing' }, atContent)
  assert.deepEqual(outcome, { kind: 'pending', progress: 33, unknownStatus: 'post_processing' })
})

test('what is no video object is thrown out, and says nothing of the job', () => {
  for (const json of [undefined, null, [], {}, { status: 7 }, 'completed']) {
    assert.throws(() => readVideo(json, atContent), /no video object/)
  }
})
