import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../canonical/json.ts'
import type { WireRequest } from '../dialect.ts'
import { parseEdit, parseExtension, parseGeneration } from './parse.ts'

const URL_FILE = { url: 'https://cdn.example.com/a.png' }
const ID_FILE = { file_id: 'file_1' }
const URL_ORIGIN = { kind: 'url', url: URL_FILE.url }
const ID_ORIGIN = { kind: 'file', id: 'file_1' }

const sent = (body: Json): WireRequest => ({ params: {}, query: {}, headers: {}, body })

describe('a generation of the xAI dialect', () => {
  test('has no references and may lack a prompt: the catalog says whether it needs one', () => {
    const { prompt, operation, references } = parseGeneration(sent({}))
    assert.deepEqual([prompt, operation, references], [undefined, undefined, []])
  })

  test('names its pictures by URL or by id, each under its own field and role', () => {
    const body = { image: URL_FILE, last_frame: ID_FILE, reference_images: [URL_FILE, ID_FILE] }
    assert.deepEqual(parseGeneration(sent(body)).references, [
      { role: 'firstFrame', field: 'image.url', origin: URL_ORIGIN },
      { role: 'lastFrame', field: 'last_frame.file_id', origin: ID_ORIGIN },
      { role: 'reference', field: 'reference_images.0.url', origin: URL_ORIGIN },
      { role: 'reference', field: 'reference_images.1.file_id', origin: ID_ORIGIN },
    ])
  })

  test('takes an empty list of pictures for none, and passes unknown keys, also of a picture', () => {
    const body = { reference_images: [], image: { ...URL_FILE, detail: 'high' }, somethingNew: 1 }
    assert.equal(parseGeneration(sent(body)).references?.length, 1)
  })

  const refused: readonly (readonly [name: string, body: Json, says: RegExp])[] = [
    ['an image that is a text', { image: 'https://a.example/b.png' }, /^image cannot be "https.*either url or file_id/],
    ['an image with neither', { image: {} }, /^image cannot be \{\}; allowed: .*either url or file_id/],
    ['an image with both', { image: { ...URL_FILE, ...ID_FILE } }, /^image cannot be .*either url or file_id/],
    ['an image by a number', { image: { url: 7 } }, /^image cannot be \{"url":7\}.*a text/],
    ['an image that is null', { image: null }, /^image cannot be null/],
    ['a picture of a list with neither', { reference_images: [URL_FILE, {}] }, /^reference_images\.1 cannot be \{\}/],
    ['pictures that are no list', { reference_images: URL_FILE }, /^reference_images cannot be .*a list/],
    ['sounds', { reference_audios: [] }, /^reference_audios cannot be used: .*not offered.*leave it out/],
    ['key frames', { keyframes: [] }, /^keyframes cannot be used: .*not offered/],
    ['storage options', { storage_options: {} }, /^storage_options cannot be used: .*not offered/],
    ['a video', { video: URL_FILE }, /^video cannot be used: .*\/v1\/videos\/edits/],
  ]
  for (const [name, body, says] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseGeneration(sent(body)), { code: 'invalid_field', message: says })
    })
  }
})

describe('an edit of the xAI dialect', () => {
  test('names its video by URL or by id, and its model by any of its names', () => {
    const edit = parseEdit(
      sent({ prompt: 'snow', video: URL_FILE, user: 'u', output: { upload_url: 'https://a.example' } }),
    )
    assert.deepEqual(
      [edit.model, edit.operation, edit.prompt, edit.params, edit.uploadUrl],
      ['grok-imagine-video', 'edit', 'snow', {}, 'https://a.example'],
    )
    assert.deepEqual(edit.references, [{ role: 'source', field: 'video.url', origin: URL_ORIGIN }])
    const byId = parseEdit(sent({ model: 'grok-imagine-video-1.5-preview', prompt: 'snow', video: ID_FILE, new: 1 }))
    assert.equal(byId.model, 'grok-imagine-video-1.5-preview')
    assert.deepEqual(byId.references, [{ role: 'source', field: 'video.file_id', origin: ID_ORIGIN }])
  })

  const edit = { prompt: 'snow', video: URL_FILE }
  const refused: readonly (readonly [name: string, body: Json, says: RegExp])[] = [
    ['no video', { prompt: 'snow' }, /^video is required; allowed: .*either url or file_id/],
    ['no prompt', { video: URL_FILE }, /^prompt is required/],
    ['a duration', { ...edit, duration: 4 }, /^duration cannot be used: .*source/],
    ['a ratio', { ...edit, aspect_ratio: '1:1' }, /^aspect_ratio cannot be used/],
    ['a resolution', { ...edit, resolution: '720p' }, /^resolution cannot be used/],
    ['a picture', { ...edit, image: URL_FILE }, /^image cannot be used: .*generation/],
    ['no sound', { ...edit, generate_audio: false }, /^generate_audio cannot be false/],
  ]
  for (const [name, body, says] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseEdit(sent(body)), { code: 'invalid_field', message: says })
    })
  }
})

describe('an extension of the xAI dialect', () => {
  test('has the seconds to add among its parameters, where they were sent', () => {
    const extension = parseExtension(sent({ prompt: 'on', video: ID_FILE, duration: 10 }))
    assert.deepEqual([extension.operation, extension.params], ['extend', { duration: 10 }])
    assert.deepEqual(extension.references, [{ role: 'source', field: 'video.file_id', origin: ID_ORIGIN }])
    assert.deepEqual(parseExtension(sent({ prompt: 'on', video: URL_FILE })).params, {})
  })

  for (const field of ['aspect_ratio', 'resolution', 'image', 'last_frame', 'reference_images', 'storage_options']) {
    test(`refuses ${field}`, () => {
      const body = { prompt: 'on', video: URL_FILE, [field]: 'x' }
      assert.throws(() => parseExtension(sent(body)), {
        code: 'invalid_field',
        message: new RegExp(`^${field} cannot`),
      })
    })
  }
})

describe('keys that xAI does not document', () => {
  const PICTURE = 'https://a.example/a.png'
  const refused: readonly (readonly [key: string, value: Json, meant: string])[] = [
    ...[
      'image_url',
      'imageUrl',
      'images',
      'input_image',
      'init-image',
      'first_frame',
      'startFrame',
      'Image',
      'photo',
    ].map((key) => [key, PICTURE, 'image'] as const),
    ...['img_urls', 'imgs', 'media', 'files'].map((key): [string, string[], string] => [key, [PICTURE], 'image']),
    ...['reference_image_urls', 'referenceImages', 'ref_image', 'references'].map((key): [string, string[], string] => [
      key,
      [PICTURE],
      'reference_images',
    ]),
    ...['last_image', 'end_frame', 'tailImage', 'last_frame_url'].map((key) => [key, PICTURE, 'last_frame'] as const),
    ...['video_url', 'videoUrl', 'clip', 'input_video'].map(
      (key) => [key, 'https://a.example/a.mp4', 'video'] as const,
    ),
    ...['seconds', 'length', 'durationSeconds', 'video_length', 'num_frames', 'Duration'].map(
      (key) => [key, 12, 'duration'] as const,
    ),
    ...['ratio', 'aspectRatio', 'orientation', 'video_aspect_ratio'].map(
      (key) => [key, '9:16', 'aspect_ratio'] as const,
    ),
    ...['size', 'width', 'video_size'].map((key) => [key, '1280x720', 'aspect_ratio and resolution'] as const),
    ...['quality', 'video_quality', 'hd', 'upscale'].map((key) => [key, true, 'resolution'] as const),
    ...['audio', 'with_audio', 'enableSound', 'generateAudio'].map((key) => [key, false, 'generate_audio'] as const),
    ...['mute', 'silent', 'muted'].map((key) => [key, true, 'generate_audio'] as const),
    ...['n', 'count', 'num_videos', 'samples'].map((key) => [key, 2, 'one request for each video'] as const),
  ]
  for (const [key, value, meant] of refused) {
    test(`refuses ${key} and says that ${meant} is meant`, () => {
      for (const [field, body] of [
        [key, { prompt: 'x', [key]: value }],
        [`input.${key}`, { prompt: 'x', input: { [key]: value } }],
        [`output.${key}`, { prompt: 'x', output: { [key]: value } }],
      ] as const) {
        const message = new RegExp(`^${field} cannot be used: the key is not read; use ${meant}`)
        assert.throws(() => parseGeneration(sent(body)), { code: 'invalid_field', message })
      }
    })
  }

  test('pass where they change nothing', () => {
    const harmless = {
      fps: 24,
      mode: 'spicy',
      negative_prompt: 'rain',
      metadata: { order: 7, end_user: 'u', country: 'fr', account: 1 },
      n: 1,
      with_audio: true,
      mute: false,
      hd: false,
      images: [],
      image_url: '',
      media: {},
      end_user_id: 'u-1',
      ref: 'a campaign',
      nested: { any: [1] },
    }
    assert.deepEqual(parseGeneration(sent({ prompt: 'x', ...harmless })).params, {})
  })
})
