import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createCanvas } from '@napi-rs/canvas'
import type { GenerationRequest } from '../canonical/generation.ts'
import { createStage } from './paint/stage.ts'
import { createPicture } from './picture.ts'
import { SCENES } from './scenes/index.ts'
import { cameraAt } from './storyboard/camera.ts'
import { SCENE_KINDS } from './storyboard/scene-words.ts'
import { storyboard } from './storyboard/storyboard.ts'

const REQUEST: GenerationRequest = {
  model: 'grok-imagine-video',
  operation: 'generate',
  prompt: 'waves at sunset',
  durationSeconds: 1,
  resolution: '480p',
  aspectRatio: '1:1',
  mode: 'normal',
  seed: 3,
  references: [],
}

function fingerprint(change: Partial<GenerationRequest> = {}): string {
  const request = { ...REQUEST, ...change }
  const picture = createPicture(request, storyboard(request))
  const hash = createHash('sha256')
  for (const frame of [0, 11, 23]) hash.update(picture.planes(frame))
  return hash.digest('hex')
}

test('draws the same frames for the same request, byte for byte', () => {
  assert.equal(fingerprint(), fingerprint())
})

test('draws other frames for another seed, prompt or mode', () => {
  const prints = [{}, { seed: 4 }, { prompt: 'waves at dawn' }, { mode: 'spicy' as const }].map(fingerprint)
  assert.equal(new Set(prints).size, prints.length)
})

test('draws any frame without those before it', () => {
  const request = { ...REQUEST, prompt: 'a city in the rain' }
  const [whole, single] = [createPicture(request, storyboard(request)), createPicture(request, storyboard(request))]
  for (let frame = 0; frame < 12; frame++) whole.planes(frame)
  assert.deepEqual(whole.planes(12), single.planes(12))
})

test('has the size of the resolution and ratio, and 24 frames for each second', () => {
  const request: GenerationRequest = { ...REQUEST, resolution: '480p', aspectRatio: '16:9', durationSeconds: 2 }
  const picture = createPicture(request, storyboard(request))
  assert.deepEqual([picture.width, picture.height, picture.framesTotal], [854, 480, 48])
  assert.equal(picture.planes(0).length, (854 * 480 * 3) / 2)
})

test('fills the whole frame in every scene', () => {
  // Small: what is asked is geometry, which scales with the frame.
  const size = { width: 96, height: 144 }
  const canvas = createCanvas(size.width, size.height)
  const context = canvas.getContext('2d')
  for (const kind of SCENE_KINDS) {
    const stage = createStage({ ...storyboard(REQUEST), scene: kind }, size)
    const scene = SCENES[kind](stage)
    for (const move of ['panLeft', 'rise', 'zoomOut'] as const) {
      for (const progress of [0, 1]) {
        context.setTransform(1, 0, 0, 1, 0, 0)
        context.clearRect(0, 0, size.width, size.height)
        scene.paint(context, { seconds: progress * 6, progress, view: cameraAt(move, progress, 1.5) })
        const bare = canvas.data().findIndex((value, index) => index % 4 === 3 && value !== 255)
        const place = `${Math.floor(bare / 4) % size.width}, ${Math.floor(bare / 4 / size.width)}`
        assert.equal(bare, -1, `${kind}, ${move} at ${progress}: nothing was painted at ${place}`)
      }
    }
  }
})
