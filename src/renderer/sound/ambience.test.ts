import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCENE_KINDS } from '../storyboard/scene-words.ts'
import { storyboard } from '../storyboard/storyboard.ts'
import { createAmbience } from './ambience.ts'

const BOARD = storyboard({
  model: 'grok-imagine-video',
  operation: 'generate',
  prompt: 'rain over the sea',
  durationSeconds: 1,
  resolution: '480p',
  aspectRatio: '1:1',
  mode: 'normal',
  seed: 5,
  references: [],
})

test('sounds in every scene, never clips, and fades in and out', () => {
  for (const scene of SCENE_KINDS) {
    const samples = createAmbience({ ...BOARD, scene }, 2).next(96_000)
    const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    assert.ok(peak > 0.02 && peak < 0.98, `${scene} peaks at ${peak}`)
    const loudest = (from: number, to: number) => Math.max(...samples.subarray(from, to).map(Math.abs))
    assert.ok(loudest(0, 200) < 0.002, `${scene} starts with a click`)
    assert.ok(loudest(samples.length - 200, samples.length) < 0.002, `${scene} ends with a click`)
  }
})

test('sounds the same for the same storyboard, in whatever pieces it is asked for', () => {
  const whole = createAmbience(BOARD, 1).next(4_000)
  const pieces = createAmbience(BOARD, 1)
  assert.deepEqual(new Float32Array([...pieces.next(1_500), ...pieces.next(2_500)]), whole)
  assert.notDeepEqual(createAmbience({ ...BOARD, seed: 6 }, 1).next(4_000), whole)
})
