import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../canonical/json.ts'
import type { WireRequest } from '../dialect.ts'
import { parseCreate, parseEdit, parseExtension, parseRemix } from './parse.ts'

const FILE = { filename: 'a.png', sha256: '0'.repeat(64), size_bytes: 7 }
const UUID = '0199f0aa00007000800000000000000a'
const VIDEO = `video_${UUID}`

const json = (body: Json, params = {}): WireRequest => ({ params, query: {}, headers: {}, body })
const form = (body: Json): WireRequest => ({
  params: {},
  query: {},
  headers: { 'content-type': 'Multipart/Form-Data; boundary=x' },
  body,
})
const url = (field: string) => ({ role: 'firstFrame', field, origin: { kind: 'url', url: 'https://a.example/b' } })
const file = (field: string) => ({ role: 'firstFrame', field, origin: { kind: 'file', id: 'file_1' } })
const source = (field: string, id = VIDEO) => ({ role: 'source', field, origin: { kind: 'task', id } })

type Case = readonly [name: string, request: WireRequest, says: RegExp]

describe('a create of the OpenAI Videos dialect', () => {
  const forms: readonly (readonly [name: string, request: WireRequest, references: readonly unknown[]])[] = [
    ['nothing in JSON', json({ prompt: 'sea' }), []],
    ['nothing in a form', form({ prompt: 'sea' }), []],
    [
      'a URL in JSON',
      json({ prompt: 'sea', input_reference: { image_url: 'https://a.example/b' } }),
      [url('input_reference.image_url')],
    ],
    [
      'an id in JSON',
      json({ prompt: 'sea', input_reference: { file_id: 'file_1' } }),
      [file('input_reference.file_id')],
    ],
    [
      'a URL in a form',
      form({ prompt: 'sea', 'input_reference[image_url]': 'https://a.example/b' }),
      [url('input_reference[image_url]')],
    ],
    [
      'an id in a form',
      form({ prompt: 'sea', 'input_reference[file_id]': 'file_1' }),
      [file('input_reference[file_id]')],
    ],
    [
      'a file in a form',
      form({ prompt: 'sea', input_reference: FILE }),
      [{ role: 'firstFrame', field: 'input_reference', origin: { kind: 'upload', part: 'input_reference' } }],
    ],
  ]
  for (const [name, request, references] of forms) {
    test(`reads ${name}`, () => {
      assert.deepEqual(parseCreate(request).references, references)
    })
  }

  const refused: readonly Case[] = [
    ['a URL and an id in JSON', json({ prompt: 'x', input_reference: { image_url: 'a', file_id: 'b' } }), /^input_ref/],
    ['neither', json({ prompt: 'x', input_reference: {} }), /^input_reference cannot be \{\}.*image_url or file_id/],
    ['a text', json({ prompt: 'x', input_reference: 'https://a' }), /^input_reference cannot be "https:\/\/a"/],
    ['what stands for a file, in JSON', json({ prompt: 'x', input_reference: FILE }), /^input_reference cannot be/],
    [
      'a text in a form',
      form({ prompt: 'x', input_reference: 'a' }),
      /^input_reference cannot be "a"; allowed: a file/,
    ],
    [
      'a file and a URL',
      form({ prompt: 'x', input_reference: FILE, 'input_reference[image_url]': 'a' }),
      /^input_reference\[image_url\] cannot be used: .*beside input_reference; allowed: one of/,
    ],
    [
      'a URL and an id in a form',
      form({ prompt: 'x', 'input_reference[image_url]': 'a', 'input_reference[file_id]': 'b' }),
      /^input_reference\[file_id\] cannot be used: .*beside input_reference\[image_url\]/,
    ],
    ['a file in the place of a text', form({ prompt: FILE }), /^prompt cannot be .*; allowed: a text/],
  ]
  for (const [name, request, says] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseCreate(request), { code: 'invalid_field', message: says })
    })
  }
})

describe('a remix of the OpenAI Videos dialect', () => {
  test('is an edit of the video in its path', () => {
    const { model, operation, prompt, references } = parseRemix(json({ prompt: 'snow' }, { id: VIDEO }))
    assert.deepEqual([model, operation, prompt], ['grok-imagine-video', 'edit', 'snow'])
    assert.deepEqual(references, [source('id', `task_${UUID}`)])
  })

  test('refuses what is not documented, and finds no video by what is no id', () => {
    assert.throws(() => parseRemix(json({ prompt: 'snow', seconds: '4' }, { id: VIDEO })), /seconds cannot be used/)
    assert.throws(() => parseRemix(json({ prompt: 'snow' }, { id: 'nonsense' })), { code: 'task_not_found' })
  })
})

describe('an edit or extension of the OpenAI Videos dialect', () => {
  test('names its video by id in JSON and in a form, or brings it along', () => {
    const [inJson, inForm] = [json({ prompt: 'x', video: { id: VIDEO } }), form({ prompt: 'x', 'video[id]': VIDEO })]
    const uploaded = form({ prompt: 'x', video: FILE })
    for (const [parse, operation] of [
      [parseEdit, 'edit'],
      [parseExtension, 'extend'],
    ] as const) {
      assert.equal(parse(inJson).operation, operation)
      assert.deepEqual(parse(inJson).references, [source('video.id')])
      assert.deepEqual(parse(inForm).references, [source('video[id]')])
      const origin = { kind: 'upload', part: 'video' }
      assert.deepEqual(parse(uploaded).references, [{ role: 'source', field: 'video', origin }])
    }
  })

  test('leaves a form without a video to the catalog, which says what it needs', () => {
    assert.deepEqual(parseEdit(form({ prompt: 'x' })).references, [])
  })

  test('takes the seconds to add with an extension alone', () => {
    const body = { prompt: 'x', 'video[id]': VIDEO, seconds: '8', model: 'm' }
    const { params, model } = parseExtension(form(body))
    assert.deepEqual([params, model], [{ seconds: '8' }, 'm'])
    assert.throws(() => parseEdit(form(body)), /seconds cannot be used: the key is unknown/)
  })

  const refused: readonly Case[] = [
    ['no video in JSON', json({ prompt: 'x' }), /^video is required/],
    ['a video without an id', json({ prompt: 'x', video: {} }), /^video\.id is required/],
    ['an id that is a number', json({ prompt: 'x', video: { id: 7 } }), /^video\.id cannot be 7; allowed: a text/],
    ['a video by URL', json({ prompt: 'x', video: { url: 'https://a' } }), /^video/],
    ['what stands for a file, in JSON', json({ prompt: 'x', video: FILE }), /^video/],
    ['a text for a file', form({ prompt: 'x', video: VIDEO }), /^video cannot be "video_.*allowed: a file/],
    [
      'a file and an id',
      form({ prompt: 'x', video: FILE, 'video[id]': VIDEO }),
      /^video\[id\] cannot be used: it cannot stand beside video;/,
    ],
    ['no prompt', form({ 'video[id]': VIDEO }), /^prompt is required/],
  ]
  for (const [name, request, says] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseEdit(request), { code: 'invalid_field', message: says })
      assert.throws(() => parseExtension(request), { code: 'invalid_field', message: says })
    })
  }
})
