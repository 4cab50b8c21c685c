import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAMERA_MOVES } from '../storyboard/camera-words.ts'
import { type MeshPicture, seek } from './mesh.ts'
import { raster } from './raster.ts'
import { arrivingViewAt, type StillMove, type StillView, stillViewAt } from './still-camera.ts'

const NO_SLACK = { left: 0, right: 0, top: 0, bottom: 0 }
const ONE_SIDE = { left: 0.14, right: 0, top: 0.05, bottom: 0 }
const FRAMES = 144

/** Every move of every mode, over pictures that end at the frame and such that reach on. */
const MOVES: readonly StillMove[] = CAMERA_MOVES.flatMap((camera) =>
  [1, 1.5].flatMap((energy) => [NO_SLACK, ONE_SIDE].map((slack) => ({ camera, energy, seconds: 8, slack }))),
)

function views(move: StillMove, viewAt: typeof stillViewAt): readonly StillView[] {
  return Array.from({ length: FRAMES }, (_, frame) => viewAt(move, frame / (FRAMES - 1)))
}

const STILL = { x: 0, y: 0, turn: 0, zoom: 1 }
const plus = ({ x, y, turn, zoom }: StillView) => ({ x: x + 0, y: y + 0, turn: turn + 0, zoom })

test('starts with the picture as it was fitted, or ends with it', () => {
  for (const move of MOVES) {
    if (move.camera !== 'zoomOut') assert.deepEqual(plus(stillViewAt(move, 0)), STILL, move.camera)
    else assert.deepEqual(plus(stillViewAt(move, 1)), STILL)
    assert.deepEqual(plus(arrivingViewAt(move, 1)), STILL, move.camera)
  }
})

test('never shows what is beyond the edge of the picture, however near or far it is', () => {
  for (const move of MOVES) {
    const size = { width: 400, height: 400 }
    const picture = (nearness: number): MeshPicture => ({
      width: size.width * (1 + move.slack.left + move.slack.right),
      height: size.height * (1 + move.slack.top + move.slack.bottom),
      frame: { left: size.width * move.slack.left, top: size.height * move.slack.top, ...size },
      nearness: raster({ width: 1, height: 1 }, () => nearness),
    })
    for (const view of [...views(move, stillViewAt), ...views(move, arrivingViewAt)]) {
      for (const nearness of [0, 0.3, 0.5, 1]) {
        for (const corner of [0, 399]) {
          const place = { x: corner, y: corner }
          const { width, height, frame, nearness: near } = picture(nearness)
          seek({ width, height, frame, nearness: near }, view, place)
          const [x, y] = [place.x + frame.left, place.y + frame.top]
          const shown = `${move.camera} shows ${x.toFixed(1)}, ${y.toFixed(1)} at nearness ${nearness}`
          assert.ok(x > -0.01 && x < width - 0.99 && y > -0.01 && y < height - 0.99, shown)
        }
      }
    }
  }
})

test('moves softly: no jump from frame to frame, and none in its speed', () => {
  for (const move of MOVES) {
    for (const viewAt of [stillViewAt, arrivingViewAt]) {
      const all = views(move, viewAt)
      for (const part of ['x', 'y', 'turn', 'zoom'] as const) {
        const at = (frame: number) => all[frame]?.[part] ?? 0
        for (let frame = 2; frame < FRAMES; frame++) {
          const [speed, before] = [at(frame) - at(frame - 1), at(frame - 1) - at(frame - 2)]
          assert.ok(Math.abs(speed) < 0.006, `${move.camera}: ${part} moves by ${speed} at frame ${frame}`)
          assert.ok(Math.abs(speed - before) < 0.0004, `${move.camera}: ${part} jerks by ${speed - before} at ${frame}`)
        }
      }
    }
  }
})

test('stands still when asked to', () => {
  const move: StillMove = { camera: 'static', energy: 1.5, seconds: 6, slack: ONE_SIDE }
  for (const view of views(move, stillViewAt)) assert.deepEqual(view, STILL)
})
