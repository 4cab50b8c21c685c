import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleRequest } from '../../../test/support/sample-request.ts'
import { videoBody } from './map-request.ts'

const frame = { width: 720, height: 1280 }

test('every whole number of seconds becomes frames that the server does not round away', () => {
  for (let durationSeconds = 1; durationSeconds <= 30; durationSeconds += 1) {
    const { video_frames: frames, fps } = videoBody(sampleRequest({ durationSeconds }), { frame, pictures: {} })
    assert.ok(typeof frames === 'number' && typeof fps === 'number')
    assert.equal(frames % 4, 1)
    assert.ok(Math.abs(frames / fps - durationSeconds) < 0.1)
  }
})

test('a request is sent in pixels, with its seed and in the one format that is a video', () => {
  const request = sampleRequest({ resolution: '720p', aspectRatio: '9:16', seed: 4_294_967_295, durationSeconds: 5 })
  assert.deepEqual(videoBody(request, { frame, pictures: { init_image: 'aGk=' } }), {
    prompt: request.prompt,
    ...frame,
    video_frames: 81,
    fps: 16,
    seed: 4_294_967_295,
    output_format: 'webm',
    init_image: 'aGk=',
  })
})
