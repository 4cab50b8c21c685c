import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ASPECT_RATIOS, pixelSize } from '../../canonical/generation.ts'
import { fitPicture, uncroppedSize } from './fit.ts'

const MIDDLE = { x: 0.5, y: 0.5 }
const SOURCES = [
  { width: 64, height: 64 },
  { width: 6_000, height: 3_000 },
  { width: 333, height: 777 },
  { width: 4_001, height: 37 },
  { width: 1, height: 1 },
]

test('fills every frame from every shape, without stretching', () => {
  for (const ratio of ASPECT_RATIOS) {
    const size = pixelSize('480p', ratio)
    for (const source of SOURCES) {
      const { crop, scaled, cut, frame } = fitPicture(source, size, MIDDLE)
      const name = `${source.width} × ${source.height} in ${ratio}`
      assert.ok(crop.left >= 0 && crop.left + crop.width <= source.width, name)
      assert.ok(crop.top >= 0 && crop.top + crop.height <= source.height, name)
      assert.ok(cut.left >= 0 && cut.left + cut.width <= scaled.width, name)
      assert.ok(cut.top >= 0 && cut.top + cut.height <= scaled.height, name)
      assert.ok(frame.left >= 0 && frame.left + size.width <= cut.width, name)
      assert.ok(frame.top >= 0 && frame.top + size.height <= cut.height, name)
      assert.ok(
        [cut.width, cut.height, frame.left, frame.top].every((pixels) => pixels % 2 === 0),
        name,
      )
      const [across, down] = [scaled.width / crop.width, scaled.height / crop.height]
      assert.ok(
        Math.abs(across / down - 1) < 0.004 || Math.min(crop.width, crop.height) < 8,
        `${name}: ${across}, ${down}`,
      )
    }
  }
})

test('keeps the whole of a picture whose shape is that of the frame', () => {
  const { crop, cut } = fitPicture({ width: 1_920, height: 1_080 }, { width: 1_280, height: 720 }, { x: 0.1, y: 0.9 })
  assert.deepEqual(crop, { left: 0, top: 0, width: 1_920, height: 1_080 })
  assert.deepEqual(cut, { left: 0, top: 0, width: 1_280, height: 720 })
})

test('places the frame around the centre of interest, as far as the picture reaches', () => {
  const source = { width: 2_000, height: 1_000 }
  const size = { width: 500, height: 500 }
  const startAt = (x: number) => {
    const { crop, scaled, cut, frame } = fitPicture(source, size, { x, y: 0.5 })
    return (crop.left * scaled.width) / crop.width + cut.left + frame.left
  }
  assert.ok(Math.abs(startAt(0.5) - 250) <= 2)
  assert.ok(Math.abs(startAt(0.6) - 350) <= 2)
  assert.equal(startAt(0), 0)
  assert.ok(Math.abs(startAt(1) - 500) <= 2)
})

test('never resizes more of a long picture than the camera can come to show', () => {
  const { crop, scaled } = fitPicture({ width: 16_000, height: 64 }, { width: 480, height: 720 }, MIDDLE)
  assert.ok(crop.width < 100 && scaled.width < 1_000, `${crop.width}, ${scaled.width}`)
})

test('knows beforehand which pictures are scaled as a whole, wherever the interest lies', () => {
  for (const ratio of ASPECT_RATIOS) {
    const size = pixelSize('480p', ratio)
    for (const source of SOURCES) {
      const whole = uncroppedSize(source, size)
      for (const interest of [MIDDLE, { x: 0, y: 0 }, { x: 1, y: 1 }, { x: 0.3, y: 0.8 }]) {
        const { crop, scaled } = fitPicture(source, size, interest)
        if (whole === undefined) continue
        assert.deepEqual([crop, scaled], [{ left: 0, top: 0, ...source }, whole], `${source.width} in ${ratio}`)
      }
    }
  }
  assert.deepEqual(uncroppedSize({ width: 3_000, height: 2_000 }, { width: 854, height: 480 }), {
    width: 854,
    height: 569,
  })
})
