/**
 * The OpenAPI 3.1 document of a dialect, made from what serves it: the routes, the zod schemas that validate, and the
 * catalog's models, whose parameters take the place of the open object that a body schema has for them.
 */
import { z } from 'zod'
import type { Operation as ModelOperation } from '../canonical/generation.ts'
import { isJsonObject, type Json, type JsonObject } from '../canonical/json.ts'
import type { Model, Parameter } from '../canonical/model.ts'
import type { Dialect, Route, RouteDocumentation } from './dialect.ts'
import { KEY_FORM } from './idempotency-key.ts'

export interface OpenApiOptions {
  readonly models: readonly Model[]
  /** Where the API is reached, without a slash at the end. */
  readonly serverUrl: string
  readonly version: string
  /** What a route's body may be at most, in words. */
  readonly bodyLimitsOf: (route: Route) => string
}

/** The document of every documented route. Refusals share one schema, since each dialect says them in one form. */
export function openApiDocument(
  dialect: Dialect,
  { models, serverUrl, version, bodyLimitsOf }: OpenApiOptions,
): JsonObject {
  const { documentation } = dialect
  const paths: Record<string, JsonObject> = {}
  for (const route of dialect.routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(dialect, route, {
        about: route.documentation,
        models,
        bodyLimits: bodyLimitsOf(route),
      }),
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: documentation.title, version },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas: { Error: schemaOf(documentation.error, 'output') },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: rly_live_… or rly_test_…' } },
    },
  }
}

interface Operation {
  readonly about: RouteDocumentation
  readonly models: readonly Model[]
  readonly bodyLimits: string
}

function operationOf(dialect: Dialect, route: Route, { about, models, bodyLimits }: Operation): JsonObject {
  const answers = Object.entries(about.answers).map(([status, answer]) => [status, answerOf(answer)])
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^a-zA-Z0-9]+(\w)/g, (_match, first) => String(first).toUpperCase())}`,
    summary: about.summary,
    security: route.scope === undefined ? [] : [{ key: [] }],
    parameters: [...pathParameters(route.path), ...queryParameters(about.query), ...headerParameters(route)],
    ...(route.body === undefined
      ? {}
      : { requestBody: bodyOf(dialect, { kind: route.kind, body: route.body }, { about, models, bodyLimits }) }),
    responses: {
      ...Object.fromEntries(answers),
      default: {
        description: 'Refused: says what is wrong and what is allowed',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function answerOf(answer: RouteDocumentation['answers'][number]): JsonObject {
  if (answer instanceof z.ZodType) {
    return { description: 'Done', content: { 'application/json': { schema: schemaOf(answer, 'output') } } }
  }
  return { description: 'Done', content: { [answer.mediaType]: { schema: {} } } }
}

function pathParameters(path: string): JsonObject[] {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '')
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(query: z.ZodObject | undefined): JsonObject[] {
  if (query === undefined) return []
  return Object.entries(query.shape).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !z.safeParse(z.object({ [name]: schema as z.ZodType }), {}).success,
    schema: schemaOf(schema as z.ZodType, 'input'),
  }))
}

function headerParameters(route: Route): JsonObject[] {
  if (route.kind === 'create' || route.kind === 'follow') {
    const description = 'Repeating a request with the same key creates nothing twice, for a day.'
    return [
      {
        name: 'Idempotency-Key',
        in: 'header',
        required: false,
        description,
        schema: { type: 'string', pattern: KEY_FORM.source },
      },
    ]
  }
  if (route.kind === 'get') {
    const description = 'wait=30: answer at the next change, or after so many seconds.'
    return [{ name: 'Prefer', in: 'header', required: false, description, schema: { type: 'string' } }]
  }
  return []
}

function bodyOf(
  dialect: Dialect,
  { kind, body }: { readonly kind: Route['kind']; readonly body: z.ZodType },
  { about, models, bodyLimits: description }: Operation,
): JsonObject {
  const schema = withParameters(schemaOf(body, 'input'), about, models)
  const json = about.example === undefined ? { schema } : { schema, example: about.example }
  const form = about.form === undefined ? schema : withParameters(schemaOf(about.form, 'input'), about, models)
  const forms = { 'multipart/form-data': { schema: form } }
  if (kind === 'uploadFile') return { required: true, description, content: forms }
  return {
    required: true,
    description,
    content: { 'application/json': json, ...(dialect.takesForms === true ? forms : {}) },
  }
}

/** Puts the models' parameters where the body takes them. A parameter of several models allows what any of them does. */
function withParameters(
  schema: JsonObject,
  { paramsAt: at, operation = 'generate' }: RouteDocumentation,
  models: readonly Model[],
): JsonObject {
  if (at === undefined) return schema
  const able = models.filter((model) => operation === 'generate' || model[operation] !== undefined)
  const byKey = new Map<string, JsonObject[]>()
  for (const parameter of able.flatMap((model) => parametersOf(model, operation))) {
    byKey.set(parameter.key, [...(byKey.get(parameter.key) ?? []), parameterSchema(parameter)])
  }
  const parameters = Object.fromEntries([...byKey].map(([key, schemas]) => [key, anyOf(schemas)]))
  const ids = { enum: able.flatMap((model) => [model.id, ...model.aliases]) }
  const limited = withPrompt(withReferenceLimits(schema, able, { paramsAt: at, operation }), able, operation)
  const properties = { ...(limited['properties'] as JsonObject) }
  const model = { ...(properties['model'] as JsonObject | undefined), ...ids }
  if (at === '') {
    return { ...limited, properties: { ...properties, ...('model' in properties ? { model } : {}), ...parameters } }
  }
  // Beside the models' parameters a body can have fields of its own there.
  const own = properties[at]
  const ownProperties = isJsonObject(own) ? (own['properties'] as JsonObject | undefined) : undefined
  const params = { type: 'object', properties: { ...ownProperties, ...parameters }, additionalProperties: false }
  return { ...limited, properties: { ...properties, model, [at]: params } }
}

/** A prompt that is needed has a character that is seen, and none is longer than the model that takes most. */
function withPrompt(schema: JsonObject, models: readonly Model[], operation: ModelOperation): JsonObject {
  const properties = schema['properties']
  const prompt = isJsonObject(properties) ? properties['prompt'] : undefined
  if (!isJsonObject(properties) || !isJsonObject(prompt)) return schema
  const maxLength = Math.max(...models.map((model) => model.maxPromptCharacters))
  const text = { ...prompt, maxLength }
  const visible = { minLength: 1, pattern: '\\S' }
  // Where a picture is enough the prompt may be absent, but not instead of one.
  const pictures = models
    .filter((model) => operation === 'generate' && model.isPromptOptionalWithReference)
    .flatMap(({ references }) => references.filter(({ role }) => role === 'firstFrame'))
    .map(({ parameter }) => parameter)
    .filter((parameter) => parameter in properties)
  if (pictures.length === 0) return { ...schema, properties: { ...properties, prompt: { ...text, ...visible } } }
  const worded = { required: ['prompt'], properties: { prompt: visible } }
  const anyOf = [worded, ...[...new Set(pictures)].map((parameter) => ({ required: [parameter] }))]
  return { ...schema, properties: { ...properties, prompt: text }, anyOf }
}

/** Lists of files are no longer than the model that takes most of them. */
function withReferenceLimits(
  schema: JsonObject,
  models: readonly Model[],
  { paramsAt, operation }: { readonly paramsAt: string; readonly operation: ModelOperation },
): JsonObject {
  const policies = models.flatMap((model) =>
    operation === 'generate' ? model.references : (model[operation]?.references ?? []),
  )
  return policies.reduce((limited, { parameter, maxFiles }) => {
    const path = paramsAt === '' ? [parameter] : [paramsAt, parameter]
    return withMaxItems(limited, path, maxFiles)
  }, schema)
}

/** The schema with at least so many items allowed in the list at a path of properties; itself where there is no list. */
function withMaxItems(schema: JsonObject, path: readonly string[], count: number): JsonObject {
  const [key, ...rest] = path
  const { properties, anyOf: options } = schema
  if (key === undefined) {
    if (Array.isArray(options)) {
      return {
        ...schema,
        anyOf: options.map((option) => (isJsonObject(option) ? withMaxItems(option, [], count) : option)),
      }
    }
    const before = typeof schema['maxItems'] === 'number' ? schema['maxItems'] : 0
    return schema['type'] === 'array' ? { ...schema, maxItems: Math.max(before, count) } : schema
  }
  const member = isJsonObject(properties) ? properties[key] : undefined
  if (!isJsonObject(properties) || !isJsonObject(member)) return schema
  return { ...schema, properties: { ...properties, [key]: withMaxItems(member, rest, count) } }
}

function parametersOf(model: Model, operation: ModelOperation): readonly Parameter[] {
  return operation === 'generate' ? model.parameters : (model[operation]?.parameters ?? [])
}

function anyOf(schemas: readonly JsonObject[]): JsonObject {
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
  const [only] = distinct
  return distinct.length === 1 && only !== undefined ? only : { anyOf: distinct }
}

function parameterSchema(parameter: Parameter): JsonObject {
  const description = parameter.description.en ?? parameter.key
  const preset = parameter.default === undefined ? {} : { default: parameter.default }
  switch (parameter.type) {
    case 'select':
      return { type: 'string', enum: [...parameter.options], ...preset, description }
    case 'number': {
      const whole = Number.isInteger(parameter.min) && Number.isInteger(parameter.step)
      const steps = parameter.step === 1 && whole ? {} : { multipleOf: parameter.step }
      return {
        type: whole ? 'integer' : 'number',
        minimum: parameter.min,
        maximum: parameter.max,
        ...steps,
        ...preset,
        description,
      }
    }
    case 'text':
      return { type: 'string', maxLength: parameter.maxCharacters, ...preset, description }
  }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return withoutReferences(JSON.parse(JSON.stringify(rest)))
}

/** The only schema that refers to itself is "any JSON value", which OpenAPI says with an empty one. */
function withoutReferences(value: JsonObject): JsonObject {
  if ('$ref' in value) return {}
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, simplified(member)]))
}

function simplified(value: Json): Json {
  if (Array.isArray(value)) return value.map(simplified)
  return isJsonObject(value) ? withoutReferences(value) : value
}
