import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PollOutcome } from '../provider.ts'
import failed from './fixtures/failed.json' with { type: 'json' }
import finished from './fixtures/finished.json' with { type: 'json' }
import helperSuite from './fixtures/finished-video-helper-suite.json' with { type: 'json' }
import interrupted from './fixtures/interrupted.json' with { type: 'json' }
import { readFinished } from './read-finished.ts'
import { finishedPrompt, history } from './wire.ts'

function read(answer: unknown): PollOutcome {
  const [entry] = Object.values(history.parse(answer))
  return readFinished(finishedPrompt.parse(entry), (path) => ({ kind: 'video', path }))
}

function videoOf(answer: unknown): string | undefined {
  const outcome = read(answer)
  const [asset] = outcome.kind === 'succeeded' ? outcome.assets : []
  return asset !== undefined && 'path' in asset ? asset.path : undefined
}

test('the video is found among the pictures of SaveVideo', () => {
  assert.equal(videoOf(finished), '/view?filename=ComfyUI_00001_.mp4&subfolder=video&type=output')
})

test('what was saved is taken before what was only shown', () => {
  assert.equal(videoOf(helperSuite), '/view?filename=AnimateDiff_00002.mp4&subfolder=&type=output')
})

test('names are escaped, and lead nowhere but to the view', () => {
  const outputs = { '1': { videos: [{ filename: '../a b&type=input.webm', subfolder: '/etc', type: 'output' }] } }
  assert.equal(videoOf({ p: { outputs } }), '/view?filename=..%2Fa+b%26type%3Dinput.webm&subfolder=%2Fetc&type=output')
})

test('pictures, and animations that no player plays, are no video', () => {
  const files = ['a.png', 'b.webp', 'c.gif', 'd.mp4.json'].map((filename) => ({ filename }))
  const outcome = read({ p: { outputs: { '1': { images: files, text: ['e.mp4'] } } } })
  assert.ok(outcome.kind === 'failed')
  assert.equal(outcome.cause, 'the workflow saved no video')
  assert.equal(outcome.failure.reason, 'generation_failed')
})

test('a node that failed is named to the operator, and to nobody else', () => {
  const outcome = read(failed)
  assert.ok(outcome.kind === 'failed')
  assert.equal(outcome.cause, 'KSampler: Allocation on device')
  assert.doesNotMatch(JSON.stringify(outcome.failure), /KSampler|Allocation/)
})

test('a prompt that was interrupted has failed', () => {
  const outcome = read(interrupted)
  assert.ok(outcome.kind === 'failed')
  assert.equal(outcome.cause, 'it was interrupted')
})

test('a status word that is new keeps the job going, and is told', () => {
  const status = { status_str: 'uploading', completed: false, messages: [] }
  assert.deepEqual(read({ p: { outputs: {}, status } }), { kind: 'pending', unknownStatus: 'uploading' })
})
