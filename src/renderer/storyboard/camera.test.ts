import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cameraAt, OVERSCAN } from './camera.ts'
import { CAMERA_MOVES } from './camera-words.ts'

/** The nearest depth that any scene paints with an edge. */
const NEAREST = 1.05

test('never shows more of a layer than is painted', () => {
  for (const move of CAMERA_MOVES) {
    for (let step = 0; step <= 20; step++) {
      const { x, y, zoom } = cameraAt(move, step / 20, 1.5)
      const half = 0.5 / (1 + (zoom - 1) * NEAREST)
      for (const place of [x * NEAREST, y * NEAREST]) {
        const beyond = Math.max(half + place, half - place) - 0.5
        assert.ok(beyond <= OVERSCAN, `${move} shows ${beyond} beyond the frame, ${OVERSCAN} is painted`)
      }
    }
  }
})

test('goes where it is told', () => {
  const way = (move: (typeof CAMERA_MOVES)[number]) => {
    const [from, to] = [cameraAt(move, 0, 1), cameraAt(move, 1, 1)]
    return { right: to.x > from.x, left: to.x < from.x, up: to.y < from.y, nearer: to.zoom > from.zoom }
  }
  assert.ok(way('panRight').right && way('panLeft').left && way('rise').up)
  assert.ok(way('zoomIn').nearer && !way('zoomOut').nearer)
  assert.deepEqual(cameraAt('static', 0.3, 1.5), { x: 0, y: 0, zoom: 1 })
})
