import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ZodError } from 'zod'
import type { GenerationRequest } from '../canonical/generation.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import { type Model, modelSchema, type Parameter } from '../canonical/model.ts'
import { Refusal } from '../canonical/refusal.ts'
import { loadCatalog } from './load.ts'
import { quote } from './quote.ts'
import { resolveModel } from './resolve.ts'
import { allowedValues, complete, validate } from './validate.ts'

const GROK = resolveModel(loadCatalog(), 'rivya', 'grok-imagine-video')
const CONTEXT = { spicyAllowed: true, freshSeed: 7 }
const TEXT_ONLY = { operation: 'generate', references: [] } as const

function ask(params: JsonObject, { model = GROK, prompt = 'sea', context = CONTEXT } = {}): GenerationRequest {
  const draft = validate(model, { ...TEXT_ONLY, prompt, params, paramsPath: 'params.' }, context)
  return complete(model, draft, { asked: [], references: [] })
}

/** The refusal of `ask`, which has to come. */
function refusalOf(work: () => unknown): Refusal {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error
  }
  assert.fail('nothing was refused')
}

/** The model with one parameter changed. */
function modelWith(parameter: Parameter, billing: Model['billing'] = GROK.billing): Model {
  const parameters = GROK.parameters.map((each) => (each.meaning === parameter.meaning ? parameter : each))
  return { ...GROK, parameters, billing }
}

function durationParameter(range: { min: number; max: number; step: number }): Parameter {
  return { key: 'duration', meaning: 'durationSeconds', type: 'number', description: { en: 'Duration' }, ...range }
}

/** Every allowed value of a parameter, or that it is left out. */
function allowedOrAbsent(parameter: Parameter): fc.Arbitrary<Json | undefined> {
  switch (parameter.type) {
    case 'select':
      return fc.constantFrom(undefined, ...parameter.options)
    case 'number': {
      const { min, max, step } = parameter
      const steps = fc.integer({ min: 0, max: Math.floor((max - min) / step) })
      return fc.option(
        steps.map((count) => min + count * step),
        { nil: undefined },
      )
    }
    case 'text':
      return fc.option(fc.string({ maxLength: parameter.maxCharacters }), { nil: undefined })
  }
}

/** Params of which each is allowed, in any order and number. */
const goodParams: fc.Arbitrary<JsonObject> = fc
  .tuple(...GROK.parameters.map((each) => fc.tuple(fc.constant(each.key), allowedOrAbsent(each))))
  .chain((entries) => fc.shuffledSubarray(entries, { minLength: entries.length }))
  .map((entries) => {
    const params: JsonObject = {}
    for (const [key, value] of entries) if (value !== undefined) params[key] = value
    return params
  })

const json = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)))

function isAllowed(parameter: Parameter, value: Json): boolean {
  switch (parameter.type) {
    case 'select':
      return typeof value === 'string' && parameter.options.includes(value)
    case 'number':
      return typeof value === 'number' && value >= parameter.min && value <= parameter.max && Number.isInteger(value)
    case 'text':
      return typeof value === 'string'
  }
}

describe('validate', () => {
  test('takes whatever is built from the allowed values, as it is, and completes it with the defaults', () => {
    fc.assert(
      fc.property(goodParams, (params) => {
        const { mode = 'normal', duration = 6, resolution = '480p', aspect_ratio = '2:3' } = params
        assert.deepEqual(ask(params), {
          model: 'grok-imagine-video',
          operation: 'generate',
          references: [],
          prompt: 'sea',
          durationSeconds: duration,
          resolution,
          aspectRatio: aspect_ratio,
          mode,
          seed: 7,
        })
      }),
    )
  })

  test('refuses any single wrong value, and names its key, the value and what is allowed', () => {
    const wrong = fc.constantFrom(...GROK.parameters).chain((parameter) =>
      fc.tuple(
        fc.constant(parameter),
        json.filter((value) => !isAllowed(parameter, value)),
      ),
    )
    fc.assert(
      fc.property(goodParams, wrong, (params, [parameter, value]) => {
        const refusal = refusalOf(() => ask({ ...params, [parameter.key]: value }))
        const field = `params.${parameter.key}`
        assert.equal(refusal.code, 'invalid_field')
        assert.deepEqual(refusal.detail, { field, value, allowed: allowedValues(parameter) })
        assert.ok(refusal.message.startsWith(`${field} cannot be `), refusal.message)
        assert.ok(refusal.message.includes(allowedValues(parameter)), refusal.message)
        assert.ok(refusal.message.length < 400)
      }),
    )
  })

  test('refuses a duration that is next to a whole number', () => {
    for (const duration of [6.0000000001, 6.9999999999, 30.0000000001]) {
      assert.equal(refusalOf(() => ask({ duration })).detail?.value, duration)
    }
  })

  test('refuses any key that the model does not have, and names it', () => {
    const keys = GROK.parameters.map(({ key }) => key)
    const unknown = fc
      .string({ minLength: 1, maxLength: 40 })
      .filter((key) => !keys.includes(key) && key !== '__proto__')
    fc.assert(
      fc.property(goodParams, unknown, json, (params, key, value) => {
        const refusal = refusalOf(() => ask({ ...params, [key]: value }))
        assert.equal(refusal.detail?.field, `params.${key}`)
        assert.ok(refusal.message.includes(`allowed keys: ${keys.join(', ')}`))
      }),
    )
  })

  test('never changes what it was given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json, { noNullPrototype: true }), fc.string(), (params, prompt) => {
        const before = structuredClone({ params, prompt })
        const frozen = deepFreeze(params)
        try {
          ask(frozen, { prompt })
        } catch (error) {
          assert.ok(error instanceof Refusal)
        }
        assert.deepEqual({ params, prompt }, before)
      }),
    )
  })

  test('counts a prompt in code points, and says how many there are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('a', 'é', 'ह', '🌊', '👩‍🚀'),
        fc.integer({ min: 4_990, max: 5_010 }),
        (unit, count) => {
          const points = Array.from(unit).length
          const prompt = unit.repeat(Math.ceil(count / points))
          const length = Array.from(prompt).length
          if (length <= 5_000) assert.equal(ask({}, { prompt }).prompt, prompt)
          else assert.match(refusalOf(() => ask({}, { prompt })).message, new RegExp(`prompt has ${length} characters`))
        },
      ),
    )
  })

  test('refuses a prompt of nothing but white space, of any script', () => {
    const space = fc.string({
      unit: fc.constantFrom(' ', '\n', '\t', '\u00a0', '\u2003', '\u3000', '\ufeff'),
      maxLength: 20,
    })
    fc.assert(
      fc.property(space, (prompt) => assert.match(refusalOf(() => ask({}, { prompt })).message, /prompt is empty/)),
    )
  })

  test('refuses spicy to an account that was not allowed it, and takes every other mode from it', () => {
    const context = { ...CONTEXT, spicyAllowed: false }
    fc.assert(
      fc.property(goodParams, (params) => {
        if (params['mode'] !== 'spicy') return void ask(params, { context })
        assert.equal(refusalOf(() => ask(params, { context })).detail?.field, 'params.mode')
      }),
    )
  })

  test('names the parameter of reference files among the allowed keys', () => {
    assert.match(
      refusalOf(() => ask({ referenceFiles: [] })).message,
      /the key is unknown; allowed keys: .*referenceMediaItems/,
    )
  })

  test('names a field without "params." in a dialect that has its parameters at the top', () => {
    const asked = { ...TEXT_ONLY, prompt: 'sea', params: { duration: 5 }, paramsPath: '' }
    assert.match(refusalOf(() => validate(GROK, asked, CONTEXT)).message, /^duration cannot be 5;/)
  })
})

describe('steps', () => {
  const ranges = fc.record({
    min: fc.integer({ min: -100, max: 100 }),
    count: fc.integer({ min: 1, max: 200 }),
    step: fc.constantFrom(0.01, 0.1, 0.25, 0.3, 0.5, 1, 2, 5, 7),
  })

  /** Whether a value passes the check of a parameter's range and step. */
  function taken(range: { min: number; max: number; step: number }, value: number): boolean {
    try {
      validate(
        { ...GROK, parameters: [...GROK.parameters, { ...durationParameter(range), key: 'strength' }] },
        { ...TEXT_ONLY, prompt: 'sea', params: { strength: value }, paramsPath: '' },
        CONTEXT,
      )
      return true
    } catch (error) {
      if (error instanceof Refusal) return false
      // Past the check of the step: as a duration it would also have to be whole.
      assert.ok(error instanceof ZodError, String(error))
      return true
    }
  }

  test('every value at a whole number of steps from the minimum is taken, however it is computed', () => {
    fc.assert(
      fc.property(ranges, fc.nat(), ({ min, count, step }, pick) => {
        const max = min + count * step
        const index = pick % (count + 1)
        assert.ok(taken({ min, max, step }, min + index * step))
        assert.ok(taken({ min, max, step }, Number((min + index * step).toFixed(2))), 'as a person writes it')
      }),
    )
  })

  test('every value between two steps, or outside the range, is refused', () => {
    const inside = fc.double({ min: 0.01, max: 0.99, noNaN: true })
    fc.assert(
      fc.property(ranges, fc.nat(), inside, ({ min, count, step }, pick, fraction) => {
        const max = min + count * step
        assert.ok(!taken({ min, max, step }, min + ((pick % count) + fraction) * step))
        assert.ok(!taken({ min, max, step }, max + step))
        assert.ok(!taken({ min, max, step }, min - step))
        for (const value of [Number.NaN, Infinity, -Infinity]) assert.ok(!taken({ min, max, step }, value))
      }),
    )
  })
})

describe('quote', () => {
  test('of a fixed price is that price, whatever is asked', () => {
    fc.assert(fc.property(goodParams, (params) => assert.equal(quote(GROK, ask(params)), 10n)))
  })

  test('by the second is the price of the resolution times the seconds', () => {
    const prices = fc.record({ '480p': fc.nat(1_000_000), '720p': fc.nat(1_000_000) })
    fc.assert(
      fc.property(goodParams, prices, (params, creditsPerSecond) => {
        const model: Model = { ...GROK, billing: { type: 'PER_SECOND', creditsPerSecond } }
        const request = ask(params, { model })
        const price = request.resolution === '720p' ? creditsPerSecond['720p'] : creditsPerSecond['480p']
        assert.equal(quote(model, request), BigInt(price) * BigInt(request.durationSeconds))
      }),
    )
  })

  test('never takes an unknown price for nothing', () => {
    const model: Model = { ...GROK, billing: { type: 'PER_SECOND', creditsPerSecond: { '480p': 3 } } }
    assert.equal(quote(model, ask({ duration: 7 }, { model })), 21n)
    assert.throws(() => quote(model, ask({ resolution: '720p' }, { model })), /no price for 720p/)
  })
})

describe('the catalog', () => {
  test('says what the seed says, and that its own defaults are allowed', () => {
    assert.deepEqual(
      GROK.parameters.map((each) => [each.key, allowedValues(each), each.default]),
      [
        ['mode', 'one of fun, normal, spicy', 'normal'],
        ['duration', 'a number from 6 to 30 in steps of 1', 6],
        ['resolution', 'one of 480p, 720p', '480p'],
        ['aspect_ratio', 'one of 1:1, 16:9, 9:16, 2:3, 3:2', '2:3'],
      ],
    )
    assert.equal(GROK.maxPromptCharacters, 5_000)
    assert.deepEqual(GROK.billing, { type: 'FIXED', credits: 10 })
  })

  test('describes every parameter in the languages of the documentation', () => {
    for (const { description } of GROK.parameters) {
      assert.deepEqual(Object.keys(description).sort(), ['en', 'fr', 'hi', 'id', 'ru'])
    }
  })

  test('tells an unknown model which there are, and is not led astray by inherited names', () => {
    for (const id of ['sora', '', 'constructor', '__proto__', 'GROK-IMAGINE-VIDEO']) {
      const refusal = refusalOf(() => resolveModel(loadCatalog(), 'rivya', id))
      assert.equal(refusal.code, 'unknown_model')
      assert.match(refusal.message, /one of grok-imagine-video/)
    }
  })

  test('refuses a model file with a key that nobody reads, or a price that is not whole', () => {
    const { dialect: _, ...model } = GROK
    assert.ok(modelSchema.safeParse(model).success)
    for (const broken of [
      { ...model, prize: 10 },
      { ...model, billing: { type: 'FIXED', credits: 0.5 } },
      { ...model, billing: { type: 'FIXED', credits: -1 } },
      { ...model, parameters: [durationParameter({ min: 1, max: 2, step: 0 })] },
    ]) {
      assert.ok(!modelSchema.safeParse(broken).success)
    }
    assert.ok(
      modelSchema.safeParse({
        ...model,
        parameters: modelWith(durationParameter({ min: 1, max: 2, step: 1 })).parameters,
      }).success,
    )
  })
})

function deepFreeze(value: JsonObject): JsonObject {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) deepFreeze(member)
    Object.freeze(member)
  }
  return Object.freeze(value)
}
