import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { isJsonObject, type Json, type JsonObject } from '../../src/canonical/json.ts'
import { startServer, type TestServer } from '../support/server.ts'

const DIALECTS = ['rivya', 'grokimagineapi', 'acedata', 'xai', 'openai']

describe('the OpenAPI documents', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  for (const dialect of DIALECTS) {
    test(`of ${dialect} is public, valid OpenAPI 3.1, and names this server`, async () => {
      const document = await documentOf(server, dialect)
      assert.equal(document['openapi'], '3.1.0')
      const result = await new Validator().validate(structuredClone(document))
      assert.deepEqual(result.errors ?? [], [])
      assert.equal(result.valid, true)
      assert.ok(JSON.stringify(document['servers']).includes(server.url))
    })

    test(`of ${dialect} has a route behind each operation, and examples that work as they stand`, async () => {
      const document = await documentOf(server, dialect)
      const base = String(at(document, 'servers', '0', 'url'))
      let examples = 0
      for (const [path, operations] of Object.entries(objectAt(document, 'paths'))) {
        for (const [method, operation] of Object.entries(isJsonObject(operations) ? operations : {})) {
          const example = at(operation, 'requestBody', 'content', 'application/json', 'example')
          if (example !== undefined) examples += 1
          const answer = await send(server, { url: `${base}${path}`, method, body: example })
          assert.notEqual(answer.status, 405, `${method} ${path}`)
          assert.notEqual(answer.status, 500, `${method} ${path}`)
          if (example !== undefined) assert.equal(answer.status, 200, `${method} ${path}: ${await answer.text()}`)
          else await answer.body?.cancel()
        }
      }
      assert.ok(examples > 0, 'no example')
    })
  }

  test('say every limit of prompts, keys, pages, lists and bodies', async () => {
    const documents = await Promise.all(DIALECTS.map((dialect) => documentOf(server, dialect)))
    const operations = documents.flatMap((document) => {
      const paths = Object.values(objectAt(document, 'paths')).filter(isJsonObject)
      return paths.flatMap((path) => Object.values(path).filter(isJsonObject))
    })
    for (const operation of operations) {
      const name = String(operation['operationId'])
      const parameters = Array.isArray(operation['parameters']) ? operation['parameters'].filter(isJsonObject) : []
      for (const { name: parameter, schema } of parameters) {
        if (parameter === 'Idempotency-Key') assert.equal(at(schema, 'pattern'), '^[!-~]{1,255}$', name)
        if (parameter === 'limit') assert.equal(at(schema, 'pattern'), '^(?:[1-9][0-9]?|100)$', name)
      }
      const content = at(operation, 'requestBody', 'content')
      if (content === undefined) continue
      assert.match(String(at(operation, 'requestBody', 'description')), /At most \d+ bytes.*values.*levels deep/, name)
      for (const media of Object.values(isJsonObject(content) ? content : {})) {
        const prompt = at(media, 'schema', 'properties', 'prompt')
        if (prompt === undefined) continue
        assert.ok(Number(at(prompt, 'maxLength')) >= 4096, name)
        const worded = at(media, 'schema', 'anyOf', '0', 'properties', 'prompt') ?? prompt
        assert.deepEqual([at(worded, 'minLength'), at(worded, 'pattern')], [1, '\\S'], name)
      }
    }
    const fieldOf = (path: string, field: string, index: number) =>
      at(
        documents[index],
        'paths',
        path,
        'post',
        'requestBody',
        'content',
        'application/json',
        'schema',
        'properties',
        field,
      )
    const ids = fieldOf('/grok/tasks', 'ids', DIALECTS.indexOf('acedata'))
    assert.deepEqual([at(ids, 'minItems'), at(ids, 'maxItems')], [1, 100])
    const pictures = fieldOf('/v1/videos/generations', 'reference_images', DIALECTS.indexOf('xai'))
    assert.equal(at(pictures, 'maxItems'), 14)
    const output = fieldOf('/v1/videos/generations', 'output', DIALECTS.indexOf('xai'))
    assert.equal(at(output, 'properties', 'upload_url', 'maxLength'), 4096)
  })

  test('of Rivya is also where the vendor has it, with the parameters of the catalog', async () => {
    const native = await (await fetch(`${server.url}/api/v1/openapi.json`)).json()
    assert.deepEqual(native, await documentOf(server, 'rivya'))
    const params = at(
      native,
      'paths',
      '/api/v1/generations',
      'post',
      'requestBody',
      'content',
      'application/json',
      'schema',
      'properties',
      'params',
      'properties',
    )
    assert.deepEqual(at(params, 'duration', 'minimum'), 6)
    assert.deepEqual(at(params, 'duration', 'maximum'), 30)
    assert.deepEqual(at(params, 'aspect_ratio', 'enum'), ['1:1', '16:9', '9:16', '2:3', '3:2'])
  })
})

async function documentOf(server: TestServer, dialect: string): Promise<JsonObject> {
  const answer = await fetch(`${server.url}/${dialect}/openapi.json`)
  assert.equal(answer.status, 200)
  const document: unknown = await answer.json()
  assert.ok(isJsonObject(document))
  return document
}

function send(
  server: TestServer,
  { url, method, body }: { url: string; method: string; body: Json | undefined },
): Promise<Response> {
  return fetch(url.replaceAll(/\{\w+\}/g, '0'.repeat(32)), {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  })
}

function at(value: Json | undefined, ...path: string[]): Json | undefined {
  let found = value
  for (const key of path) {
    if (Array.isArray(found)) found = found[Number(key)]
    else found = isJsonObject(found) ? found[key] : undefined
  }
  return found
}

function objectAt(value: Json, key: string): JsonObject {
  const found = at(value, key)
  assert.ok(isJsonObject(found))
  return found
}
