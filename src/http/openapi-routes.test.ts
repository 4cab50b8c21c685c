import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { loadCatalog } from '../catalog/load.ts'
import { DIALECTS } from '../dialects/index.ts'
import { mountOpenApi } from './openapi-routes.ts'

const RIVYA = DIALECTS.find(({ id }) => id === 'rivya')

test('the document is made once for an address, however often and wherever it is read', async (t) => {
  assert.ok(RIVYA)
  let made = 0
  let address = 'http://127.0.0.1:1'
  const dialect = {
    ...RIVYA,
    get routes() {
      made += 1
      return RIVYA.routes
    },
  }
  const app = fastify()
  t.after(() => app.close())
  mountOpenApi(app, { dialect, platform: { catalog: loadCatalog(), publicUrl: () => address } })
  assert.equal(made, 0, 'nor before anybody reads it')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const read = async (path: string): Promise<string> => {
    const answer = await fetch(`${app.listeningOrigin}${path}`)
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    return answer.text()
  }
  const texts = [
    await read('/rivya/openapi.json'),
    await read('/rivya/openapi.json'),
    await read('/api/v1/openapi.json'),
  ]
  assert.equal(made, 1)
  assert.equal(new Set(texts).size, 1)
  assert.deepEqual(JSON.parse(texts[0] ?? '').servers, [{ url: address }])
  address = 'http://127.0.0.1:2'
  assert.deepEqual(JSON.parse(await read('/rivya/openapi.json')).servers, [{ url: address }])
})
