import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { GenerationRequest } from '../canonical/generation.ts'
import { frameSize, outputSeconds } from '../canonical/generation.ts'
import { newId } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { Reference, ReferenceRole } from '../canonical/reference.ts'
import { Refusal } from '../canonical/refusal.ts'
import { loadCatalog } from './load.ts'
import { quote } from './quote.ts'
import { resolveModel } from './resolve.ts'
import { type AskedGeneration, complete, validate } from './validate.ts'

const CATALOG = loadCatalog()
const XAI = resolveModel(CATALOG, 'xai', 'grok-imagine-video')
const XAI_15 = resolveModel(CATALOG, 'xai', 'grok-imagine-video-1.5')
const ACEDATA_15 = resolveModel(CATALOG, 'acedata', 'grok-imagine-video-1.5-preview')
const RIVYA = resolveModel(CATALOG, 'rivya', 'grok-imagine-video')
const GROK = resolveModel(CATALOG, 'grokimagineapi', 'grok-imagine-video')

type Brought = Partial<Reference> & { readonly role: ReferenceRole }

function brought(about: Brought): Reference {
  const isVideo = about.role === 'source'
  return {
    ...{ kind: isVideo ? 'video' : 'image', mimeType: isVideo ? 'video/mp4' : 'image/png', fileId: newId('file') },
    ...{ sizeBytes: 1_000, sha256: '00', storeKey: 'files/00/0.png', width: 640, height: 480 },
    ...(isVideo ? { durationSeconds: 6 } : {}),
    ...about,
  }
}

interface Asked {
  readonly model?: typeof XAI
  readonly operation?: AskedGeneration['operation']
  readonly prompt?: string | undefined
  readonly params?: JsonObject
  readonly paramsPath?: string
}

function ask(files: readonly Brought[], about: Asked = {}): GenerationRequest {
  const { model = XAI, operation = 'generate', params = {}, paramsPath = '' } = about
  const references = files.map(brought)
  const asked = files.map(({ role }, index) => ({ role, field: `file.${index}` }))
  const prompt = 'prompt' in about ? about.prompt : 'sea'
  const asking = { operation, prompt, params, paramsPath, references: asked }
  const draft = validate(model, asking, { spicyAllowed: true, freshSeed: 1 })
  return complete(model, draft, { asked, references })
}

function refusalOf(files: readonly Brought[], about: Asked = {}): string {
  try {
    ask(files, about)
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, 'invalid_field')
    return error.message
  }
  assert.fail('nothing was refused')
}

describe('references of a generation', () => {
  test('a picture gives its own ratio where none was asked for, and 480p its short side', () => {
    const request = ask([{ role: 'firstFrame', width: 1000, height: 600 }])
    assert.equal(request.aspectRatio, 'source')
    assert.deepEqual(frameSize(request), { width: 800, height: 480 })
    assert.deepEqual(frameSize(ask([{ role: 'firstFrame', width: 600, height: 1000 }])), { width: 480, height: 800 })
    assert.equal(ask([{ role: 'firstFrame' }], { params: { aspect_ratio: '1:1' } }).aspectRatio, '1:1')
  })

  test('a picture longer than 21:9 is cropped to that', () => {
    assert.deepEqual(frameSize(ask([{ role: 'firstFrame', width: 9000, height: 300 }])), { width: 1120, height: 480 })
  })

  test('a prompt may be missing or empty with a picture, and not without', () => {
    assert.equal(ask([{ role: 'firstFrame' }], { prompt: undefined }).prompt, '')
    assert.match(refusalOf([], { prompt: undefined }), /^prompt is required for text-to-video\.$/)
    assert.match(
      refusalOf([{ role: 'source' }], { prompt: undefined, operation: 'edit' }),
      /^prompt is required for edit/,
    )
  })

  test('image and reference images do not go together', () => {
    const said = refusalOf([{ role: 'firstFrame' }, { role: 'reference' }])
    assert.match(
      said,
      /^file\.0 cannot be used: it cannot stand beside file\.1; allowed: one of file\.0 and file\.1\.$/,
    )
  })

  test('no more than the model takes of each role', () => {
    const many = (count: number) => Array.from({ length: count }, () => ({ role: 'reference' }) as const)
    assert.equal(ask(many(7)).references.length, 7)
    assert.match(refusalOf(many(8)), /^reference_images cannot be used: there are too many; allowed: at most 7 files/)
    assert.equal(ask(many(14), { model: XAI_15 }).references.length, 14)
    assert.match(refusalOf([{ role: 'firstFrame' }, { role: 'firstFrame' }]), /^image .* at most 1 file\.$/)
  })

  test('a field is named with the path that parameters have in the body', () => {
    const about = { model: RIVYA, paramsPath: 'params.' } as const
    const two = refusalOf([{ role: 'firstFrame' }, { role: 'firstFrame' }], about)
    assert.match(two, /^params\.referenceMediaItems cannot be used: there are too many; allowed: at most 1 file\.$/)
    const role = refusalOf([{ role: 'lastFrame' }], about)
    assert.match(role, /takes no such file; allowed: files in params\.referenceMediaItems\.$/)
  })

  test('limits that hold only beside references', () => {
    const files = [{ role: 'reference' }] as const
    assert.equal(ask(files, { params: { duration: 10 } }).durationSeconds, 10)
    assert.match(refusalOf(files, { params: { duration: 11 } }), /^duration cannot be 11; allowed: at most 10 seconds/)
    assert.equal(ask([], { params: { duration: 11 } }).durationSeconds, 11)
    const params = { resolution: '1080p' }
    assert.match(
      refusalOf(files, { model: XAI_15, params }),
      /^resolution cannot be "1080p"; allowed: one of 480p, 720p/,
    )
    assert.equal(ask([{ role: 'firstFrame' }], { model: XAI_15, params }).resolution, '1080p')
  })

  test('spicy never goes with a picture', () => {
    const about = { model: GROK, params: { mode: 'spicy' } }
    assert.match(refusalOf([{ role: 'firstFrame' }], about), /^mode cannot be "spicy": .*reference file/)
    assert.equal(ask([], about).mode, 'spicy')
  })

  test('a model that animates pictures wants one', () => {
    assert.match(refusalOf([], { model: ACEDATA_15 }), /^image_url is required for grok-imagine-video-1\.5-preview/)
  })

  test('a file of another type, or too large, is named with what was found and what is allowed', () => {
    const gif = { role: 'firstFrame', mimeType: 'image/gif' } as const
    assert.match(refusalOf([gif]), /^file\.0 cannot be used: the file is image\/gif; allowed: image \(image\/jpeg/)
    assert.match(
      refusalOf([{ role: 'firstFrame', sizeBytes: 20_971_521 }]),
      /has 20971521 bytes; allowed: at most 20971520/,
    )
  })
})

describe('edits and extensions', () => {
  test('an edit is as long as its source, and is quoted by its measured length', () => {
    const request = ask([{ role: 'source', durationSeconds: 5.125 }], { operation: 'edit' })
    assert.equal(request.durationSeconds, 5.125)
    assert.equal(outputSeconds(request), 5.125)
    // 5.125 s × 5, rounded up, and 5.125 s × 1 for the input, rounded up.
    assert.equal(quote(XAI, request), 26n + 6n)
  })

  test('an extension adds seconds, and is quoted for those and for its input', () => {
    const request = ask([{ role: 'source', durationSeconds: 6 }], { operation: 'extend', params: { duration: 4 } })
    assert.equal(outputSeconds(request), 10)
    assert.equal(quote(XAI, request), 20n + 6n)
  })

  test('have the size of their source, capped at 720p, and are never made larger', () => {
    const about = { operation: 'edit' } as const
    const sized = (width: number, height: number) => frameSize(ask([{ role: 'source', width, height }], about))
    assert.deepEqual(sized(1920, 1080), { width: 1280, height: 720 })
    assert.deepEqual(sized(480, 854), { width: 480, height: 854 })
    assert.deepEqual(sized(321, 241), { width: 322, height: 242 })
    assert.equal(ask([{ role: 'source', width: 854, height: 480 }], about).resolution, '480p')
    assert.equal(ask([{ role: 'source', width: 1280, height: 720 }], about).resolution, '720p')
  })

  test('refuse a source that is too long or too short, and parameters that they do not have', () => {
    const edit = { operation: 'edit' } as const
    assert.match(refusalOf([{ role: 'source', durationSeconds: 8.8 }], edit), /is 8\.8 s long; allowed: 1 to 8\.7 s/)
    const extend = { operation: 'extend' } as const
    assert.match(refusalOf([{ role: 'source', durationSeconds: 1.5 }], extend), /allowed: 2 to 15 s/)
    assert.match(refusalOf([{ role: 'source' }], { ...edit, params: { duration: 6 } }), /^duration cannot be used/)
    assert.match(refusalOf([{ role: 'source' }], { ...extend, params: { duration: 11 } }), /^duration cannot be 11/)
    assert.match(refusalOf([{ role: 'source' }], { ...edit, model: XAI_15 }), /cannot edit videos/)
    assert.match(refusalOf([], edit), /^video is required/)
  })
})

test('pictures cost what the vendor says, rounded up to a whole credit in sum', () => {
  const three = Array.from({ length: 3 }, () => ({ role: 'reference' }) as const)
  // 8 s × 5 credits, and 3 × 0.2 credits rounded up.
  assert.equal(quote(XAI, ask(three)), 41n)
  assert.equal(quote(XAI, ask([])), 40n)
})
