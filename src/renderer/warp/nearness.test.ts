import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAMERA_MOVES } from '../storyboard/camera-words.ts'
import { seededRandom } from '../storyboard/seeded-random.ts'
import { type MeshPicture, seek } from './mesh.ts'
import { estimateNearness } from './nearness.ts'
import { sampleAt, steepness } from './raster.ts'
import { centreOfInterest, type Pixels, sketch } from './sketch.ts'
import { stillViewAt } from './still-camera.ts'

const SIZE = { width: 96, height: 64 }
const NO_SLACK = { left: 0, right: 0, top: 0, bottom: 0 }

function painted(colour: (x: number, y: number) => readonly [number, number, number]): Pixels {
  const rgb = new Uint8Array(SIZE.width * SIZE.height * 3)
  for (let index = 0; index < SIZE.width * SIZE.height; index++) {
    rgb.set(colour(index % SIZE.width, Math.floor(index / SIZE.width)), index * 3)
  }
  return { ...SIZE, rgb }
}

const random = seededRandom(1)
const PICTURES: Readonly<Record<string, Pixels>> = {
  even: painted(() => [128, 128, 128]),
  checks: painted((x, y) => (((x >> 3) + (y >> 3)) % 2 === 0 ? [255, 255, 255] : [0, 0, 0])),
  halves: painted((x) => (x < 48 ? [250, 40, 30] : [10, 20, 90])),
  noise: painted(() => [random() * 255, random() * 255, random() * 255]),
}

/** A red ball on a meadow under a calm sky. */
const BALL = painted((x, y) => {
  if (Math.hypot(x - 60, y - 40) < 10) return [210, 40, 30]
  return y < 30 ? [150, 190, 235] : [70 + ((x * 7 + y * 13) % 20), 110, 60]
})

test('never folds a picture over, whatever is on it and wherever the camera goes', () => {
  for (const [name, pixels] of Object.entries({ ...PICTURES, ball: BALL })) {
    const of = sketch(pixels)
    const nearness = estimateNearness(of, centreOfInterest(of))
    const picture: MeshPicture = {
      width: 480,
      height: 320,
      frame: { left: 0, top: 0, width: 480, height: 320 },
      nearness,
    }
    for (const camera of CAMERA_MOVES) {
      for (const progress of [0.35, 1]) {
        const view = stillViewAt({ camera, energy: 1.5, seconds: 15, slack: NO_SLACK }, progress)
        for (let y = 0; y < 320; y += 16) {
          let left = Number.NEGATIVE_INFINITY
          for (let x = 0; x < 480; x += 4) {
            const place = { x, y }
            seek(picture, view, place)
            // Four pixels of the frame read at least one and at most ten of the picture.
            if (x > 0) assert.ok(place.x - left > 1 && place.x - left < 10, `${name}, ${camera}: ${place.x - left}`)
            left = place.x
          }
        }
      }
    }
  }
})

test('changes nowhere faster than the camera can show', () => {
  // A post against the sky: the subject, with the steepest edge that there is.
  const post = painted((x, y) =>
    Math.abs(x - 48) < 5 && y > 8 ? [255, 30, 0] : y < 40 ? [200, 220, 250] : [20, 20, 20],
  )
  for (const pixels of [...Object.values(PICTURES), BALL, post]) {
    const of = sketch(pixels)
    const steepest = steepness(estimateNearness(of, centreOfInterest(of))).values.reduce((a, b) => Math.max(a, b), 0)
    assert.ok(steepest * SIZE.width < 10.01, `${steepest * SIZE.width}`)
  }
})

test('takes the subject and the ground for near and the sky for far', () => {
  const of = sketch(BALL)
  const interest = centreOfInterest(of)
  assert.ok(Math.abs(interest.x - 60 / 96) < 0.12 && Math.abs(interest.y - 40 / 64) < 0.15, JSON.stringify(interest))
  const nearness = estimateNearness(of, interest)
  const [sky, ball, ground] = [sampleAt(nearness, 20, 5), sampleAt(nearness, 60, 40), sampleAt(nearness, 20, 62)]
  assert.ok(sky < 0.3 && ball > sky + 0.4 && ground > sky + 0.3, `${sky}, ${ball}, ${ground}`)
})

test('gives a nearness for every shape, an even picture and a single pixel too', () => {
  for (const pixels of [PICTURES['even'], { width: 1, height: 1, rgb: new Uint8Array(3) }]) {
    assert.ok(pixels !== undefined)
    const { values } = estimateNearness(sketch(pixels), { x: 0.5, y: 0.5 })
    assert.ok(values.every((value) => value >= 0 && value <= 1))
  }
})
