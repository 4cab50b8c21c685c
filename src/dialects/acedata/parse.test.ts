import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../canonical/json.ts'
import { parseVideos } from './parse.ts'

const A = 'https://cdn.acedata.cloud/a.png'
const B = 'data:image/png;base64,iVBORw0KGgo='

const input = (body: Json) => parseVideos({ params: {}, query: {}, headers: {}, body }).input

describe('what AceData reads of pictures', () => {
  test('is the picture that the video starts with, and needs no prompt', () => {
    const { prompt, references } = input({ image_url: A })
    assert.equal(prompt, undefined)
    assert.deepEqual(references, [{ role: 'firstFrame', field: 'image_url', origin: { kind: 'url', url: A } }])
  })

  test('is a list of what is to appear', () => {
    assert.deepEqual(input({ prompt: 'x', reference_image_urls: [A, B] }).references, [
      { role: 'reference', field: 'reference_image_urls.0', origin: { kind: 'url', url: A } },
      { role: 'reference', field: 'reference_image_urls.1', origin: { kind: 'url', url: B } },
    ])
  })

  test('is nothing where there is none, and where the list is empty', () => {
    assert.deepEqual(input({ prompt: 'x' }).references, [])
    assert.deepEqual(input({ prompt: 'x', reference_image_urls: [] }).references, [])
  })

  test('is refused where it is no text or no list', () => {
    assert.throws(() => input({ image_url: [A] }), /^Refusal: image_url cannot be .*; allowed: a text/)
    assert.throws(() => input({ reference_image_urls: A }), /^Refusal: reference_image_urls cannot be .*a list/)
    assert.throws(() => input({ reference_image_urls: [A, 7] }), /^Refusal: reference_image_urls\.1 cannot be 7/)
  })
})
