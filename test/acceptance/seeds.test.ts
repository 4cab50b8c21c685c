/**
 * The pages "Grok Imagine Video API Integration" (Indonesian, Hindi, English), request by request and field by field, by
 * a customer who knows nothing else.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startServer, type TestServer } from '../support/server.ts'
import { colourOf, picture, upload } from './reference-files.ts'
import { cancel, create, credits, get, MINIMAL, waitForStatus } from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'

/** Requests shown by the pages; the three differ in the language of their prose alone. */
const WITH_REFERENCE = {
  ...MINIMAL,
  params: {
    ...MINIMAL.params,
    referenceMediaItems: [
      {
        url: 'https://cdn.example.com/reference-image.png',
        kind: 'image',
        name: 'reference-image.png',
        mimeType: 'image/png',
      },
    ],
  },
}

describe('the model page of Grok Imagine Video', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ credits: 100 })
  })
  after(() => server.stop())

  test('answers the minimal request with the documented task object', async () => {
    const answer = await server.ask('POST', '/api/v1/generations', { body: MINIMAL })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    const { id, created_at, updated_at, ...rest } = JSON.parse(answer.text)
    assert.deepEqual(rest, {
      status: 'queued',
      model: 'grok-imagine-video',
      reserved_credits: 10,
      final_credits: 0,
      result: null,
      error: null,
    })
    assert.deepEqual(
      Object.keys(JSON.parse(answer.text)),
      ['id', 'status', 'model', 'reserved_credits', 'final_credits', 'created_at', 'updated_at', 'result', 'error'],
      'the keys come in the order of the page',
    )
    assert.equal(created_at, updated_at)
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
    assert.equal(await credits(server), 90)
    assert.equal((await cancel(server, id)).status, 'canceled')
    assert.equal(await credits(server), 100)
  })

  test('makes a video with the defaults of the page when no params are sent', async () => {
    const { id } = await create(server, { model: MINIMAL.model, prompt: 'A quiet sea at dawn' })
    const ended = await waitForStatus(server, id, ['succeeded', 'failed'])
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    assert.equal(ended.final_credits, 10)
    assert.equal(ended.reserved_credits, 10)
    assert.equal(ended.error, null)
    assert.ok(ended.result)
    assert.deepEqual(ended.result.urls, [ended.result.primary_url])
    assert.equal(await credits(server), 90)

    const { framesPerSecond, audioSeconds, boxes, ...file } = await readVideoFile(
      await download(ended.result.primary_url),
    )
    assert.deepEqual(file, {
      width: 480,
      height: 720,
      videoCodec: 'avc',
      audioCodec: 'aac',
      frames: 6 * 24,
      durationSeconds: 6,
    })
    assert.ok(Math.abs(framesPerSecond - 24) < 1e-6)
    assert.ok(Math.abs(audioSeconds - 6) < 0.1, `${audioSeconds} s of sound`)
    assert.ok(boxes.indexOf('moov') < boxes.indexOf('mdat'), boxes.join(' '))
    assert.ok(Date.parse(ended.updated_at) > Date.parse(ended.created_at))
  })

  test('makes a video of what was asked, and tells its progress, which never goes back', async () => {
    const params = { mode: 'fun', duration: 7, resolution: '480p', aspect_ratio: '16:9' }
    const { id } = await create(server, { ...MINIMAL, params })
    const seen: number[] = []
    for (let ended = false; !ended; ) {
      const answer = await server.ask('GET', `/rivya/api/v1/generations/${id}`)
      seen.push(Number(answer.headers.get('generation-progress')))
      ended = /"status":"(succeeded|failed|canceled)"/.test(answer.text)
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.equal(seen.at(-1), 100)
    assert.ok(new Set(seen).size > 3, `progress was ${[...new Set(seen)].join(', ')}`)

    const { result } = await get(server, id)
    assert.ok(result)
    const file = await readVideoFile(await download(result.primary_url))
    assert.deepEqual([file.width, file.height, file.frames], [854, 480, 7 * 24])
  })

  test('makes a video of the request with a reference file, once its URL leads to one', async () => {
    const [item] = WITH_REFERENCE.params.referenceMediaItems
    assert.ok(item !== undefined)
    const bytes = await picture('red', { width: 240, height: 360 })
    const { url } = await upload(server, { kind: 'image', bytes })
    const before = await credits(server)
    const params = { ...WITH_REFERENCE.params, referenceMediaItems: [{ ...item, url }] }
    const { id, reserved_credits } = await create(server, { ...WITH_REFERENCE, params })
    assert.equal(reserved_credits, 10)
    const ended = await waitForStatus(server, id, ['succeeded', 'failed'])
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    assert.equal(await credits(server), before - 10)
    assert.equal(await colourOf(server, id), 'red')
    const file = await readVideoFile(await download(ended.result?.primary_url ?? ''))
    assert.deepEqual([file.width, file.height, file.frames], [480, 720, 6 * 24])
  })

  for (const prefix of ['', '/rivya']) {
    test(`lists the model below "${prefix}/" without a key, exactly as the page has it`, async () => {
      const answer = await server.ask('GET', `${prefix}/api/v1/models`, { key: null })
      assert.equal(answer.status, 200)
      const { object, data } = JSON.parse(answer.text)
      assert.equal(object, 'list')
      assert.equal(data.length, 1)
      const { notices, params, ...model } = data[0]
      assert.deepEqual(model, {
        id: 'grok-imagine-video',
        display_name: 'Grok Imagine Video',
        category: 'video',
        runtime: 'async_task',
        base_credits: 10,
        billing_type: 'FIXED',
        supported_modes: ['text-to-video', 'image-to-video'],
        max_prompt_length: 5_000,
        reference_media: {
          key: 'referenceMediaItems',
          max_items: 1,
          kinds: [
            { kind: 'image', max_bytes: 10 * 1024 * 1024, mime_types: ['image/jpeg', 'image/png', 'image/webp'] },
          ],
          description: 'Reference image: up to 1 image file.',
        },
        api_status: 'available',
        api_input_status: 'available_url_input',
        supported_api_inputs: ['text', 'url'],
        requires_files_api: false,
        requires_upload_for_modes: [],
        url_input_supported: true,
        file_kinds: ['image'],
      })
      assert.ok(Array.isArray(notices) && notices.every((notice) => typeof notice === 'string'))
      const select = { type: 'select', required: false }
      assert.deepEqual(params, [
        {
          ...select,
          key: 'mode',
          description: 'Generation mode',
          default: 'normal',
          options: ['fun', 'normal', 'spicy'],
        },
        {
          key: 'duration',
          type: 'number',
          required: false,
          description: 'Duration',
          default: 6,
          min: 6,
          max: 30,
          step: 1,
        },
        { ...select, key: 'resolution', description: 'Resolution', default: '480p', options: ['480p', '720p'] },
        {
          ...select,
          key: 'aspect_ratio',
          description: 'Aspect ratio',
          default: '2:3',
          options: ['1:1', '16:9', '9:16', '2:3', '3:2'],
        },
      ])
    })
  }

  test('takes each combination of the allowed values at the same fixed price', async () => {
    const account = await server.createAccount({ credits: 10, spicyAllowed: true })
    for (const mode of ['fun', 'normal', 'spicy'])
      for (const resolution of ['480p', '720p'])
        for (const aspect_ratio of ['1:1', '16:9', '9:16', '2:3', '3:2']) {
          const params = { mode, duration: 30, resolution, aspect_ratio }
          const made = await create(server, { ...MINIMAL, prompt: 'sandbox:slow=600', params }, { key: account.key })
          assert.equal(made.reserved_credits, 10)
          await cancel(server, made.id, { key: account.key })
        }
    assert.equal(await credits(server, { key: account.key }), 10)
  })

  test('answers the credits as the page has them', async () => {
    const answer = await server.ask('GET', '/api/v1/credits')
    assert.deepEqual(JSON.parse(answer.text), { current_credits: 70 })
    assert.equal((await server.ask('GET', '/rivya/api/v1/credits')).text, answer.text)
  })
})
