import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planeNoise } from '../paint/noise.ts'
import { seededRandom } from '../storyboard/seeded-random.ts'
import { type CameraMotion, cameraMotion, NO_MOTION } from './camera-motion.ts'
import { lumaPyramid } from './luma-pyramid.ts'
import { noiseLevel } from './noise-level.ts'

const SIZE = { width: 320, height: 240 }
const texture = planeNoise(seededRandom(5), 5)

/** A textured plane as it is seen after a motion from the middle. */
function seen(motion: CameraMotion, seed = 0): Uint8Array {
  const planes = new Uint8Array(SIZE.width * SIZE.height * 1.5).fill(128)
  for (let at = 0; at < SIZE.width * SIZE.height; at++) {
    const [x, y] = [(at % SIZE.width) - SIZE.width / 2, Math.floor(at / SIZE.width) - SIZE.height / 2]
    const [aside, below] = [x - motion.right, y - motion.down]
    const scale = 1 / (1 + motion.zoom)
    const [fromX, fromY] = [(aside + motion.turn * below) * scale, (below - motion.turn * aside) * scale]
    planes[at] = 126 + Math.round(90 * texture(fromX / 40 + seed * 31, fromY / 40))
  }
  return planes
}

test('finds shift, zoom and turn, small and large', () => {
  for (const motion of [
    { zoom: 0, turn: 0, right: 3.3, down: -1.2 },
    { zoom: 0, turn: 0, right: -24, down: 9 },
    { zoom: 0.02, turn: 0, right: 0, down: 0 },
    { zoom: -0.01, turn: 0.015, right: 2, down: 1 },
  ]) {
    const found = cameraMotion(lumaPyramid(seen(NO_MOTION), SIZE), lumaPyramid(seen(motion), SIZE))
    assert.ok(found !== undefined)
    for (const part of ['zoom', 'turn'] as const) assert.ok(Math.abs(found[part] - motion[part]) < 0.001, part)
    for (const part of ['right', 'down'] as const) assert.ok(Math.abs(found[part] - motion[part]) < 0.15, part)
  }
})

test('finds nothing in a picture that stands still, and none from one shot to another', () => {
  const still = lumaPyramid(seen(NO_MOTION), SIZE)
  assert.deepEqual(cameraMotion(still, still), NO_MOTION)
  const bright = lumaPyramid(new Uint8Array(SIZE.width * SIZE.height * 1.5).fill(230), SIZE)
  assert.equal(
    cameraMotion(bright, lumaPyramid(new Uint8Array(SIZE.width * SIZE.height * 1.5).fill(20), SIZE)),
    undefined,
  )
})

test('measures noise, also where the camera moves', () => {
  const random = seededRandom(8)
  const noisy = (planes: Uint8Array, level: number) =>
    planes.map((value, at) =>
      at < SIZE.width * SIZE.height ? value + Math.round((random() + random() + random() - 1.5) * 2 * level) : value,
    )
  const camera = { ...NO_MOTION, right: 4, down: 2 }
  for (const level of [1, 3]) {
    const found = noiseLevel(noisy(seen(NO_MOTION), level), noisy(seen(camera), level), { ...SIZE, camera })
    // Fresh noise of this strength on a still picture flickers as two noisy pictures differ.
    assert.ok(Math.abs(found - level) < 0.35 * level, `${level} was taken for ${found}`)
  }
})
