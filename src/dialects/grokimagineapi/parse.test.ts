import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../canonical/json.ts'
import { Refusal } from '../../canonical/refusal.ts'
import { renderRefusal } from './errors.ts'
import { parseGenerate } from './parse.ts'

const A = 'https://example.com/a.png'
const B = 'https://example.com/b.png'

const references = (images?: Json) =>
  parseGenerate({
    params: {},
    query: {},
    headers: {},
    body: images === undefined ? { prompt: 'x' } : { prompt: 'x', images },
  }).references

describe('what grokimagineapi reads of images', () => {
  test('is the picture that the video starts with where there is one, as a text or in a list', () => {
    const origin = { kind: 'url', url: A }
    assert.deepEqual(references(A), [{ role: 'firstFrame', field: 'images', origin }])
    assert.deepEqual(references([A]), [{ role: 'firstFrame', field: 'images.0', origin }])
  })

  test('is what is to appear in it where there are several', () => {
    assert.deepEqual(references([A, B]), [
      { role: 'reference', field: 'images.0', origin: { kind: 'url', url: A } },
      { role: 'reference', field: 'images.1', origin: { kind: 'url', url: B } },
    ])
  })

  test('is nothing where there are none', () => {
    assert.deepEqual([references(), references([])], [[], []])
  })

  test('is refused where it is neither', () => {
    for (const images of [7, { url: A }, [7], null]) assert.throws(() => references(images), /images cannot be/)
  })
})

describe('a refusal of a picture in the words of grokimagineapi', () => {
  test('says what is wrong with it, and not that it is missing', () => {
    const message = 'images.0 cannot be used: the file is image/gif; allowed: image (image/png).'
    const refusal = new Refusal('invalid_field', message, { detail: { field: 'images.0', allowed: 'image/png' } })
    assert.deepEqual(renderRefusal(refusal).body, {
      code: 400,
      message:
        'Invalid request: The images.0 parameter cannot be used: the file is image/gif; allowed: image (image/png)',
      error: 'INVALID_REQUEST',
    })
  })
})
