/** Requests without a valid key are counted by where they come from; whoever has a valid key from there is not concerned. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newKeySecret } from '../../src/accounts/key-secret.ts'
import { REFUSED_PER_MINUTE } from '../../src/accounts/refused-addresses.ts'
import { DIALECTS } from '../../src/dialects/index.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PATHS: Readonly<Record<string, string>> = {
  rivya: '/api/v1/credits',
  grokimagineapi: '/v1/status?task_id=x',
  acedata: '/grok/tasks',
  xai: '/v1/videos/x',
  openai: '/openai/v1/videos',
}

describe('an address that sends keys that are not valid', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  test('is told to wait in each dialect’s words, and its valid keys pass at once, seen before or not', async () => {
    const strange = () => server.ask('GET', '/api/v1/credits', { key: newKeySecret('live') })
    const answers = await Promise.all(Array.from({ length: REFUSED_PER_MINUTE + 50 }, strange))
    const refused = answers.filter(({ status }) => status === 401)
    assert.ok(refused.length > 0 && refused.length <= REFUSED_PER_MINUTE, `${refused.length} were told what is wrong`)
    for (let count = refused.length; count <= REFUSED_PER_MINUTE; count++) await strange()

    for (const { id, routes } of DIALECTS) {
      const path = PATHS[id] ?? assert.fail(id)
      const method = routes.find((route) =>
        path.split('?')[0]?.endsWith(route.path.replace(':request_id', 'x')),
      )?.method
      const answer = await server.ask(method ?? 'GET', path, { key: newKeySecret('live') })
      assert.equal(answer.status, 429, `${id}: ${answer.text}`)
      assert.match(answer.text, /Too many requests without a valid API key came from this address/)
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    }

    const stranger = await server.createAccount({ credits: 1 })
    for (const key of [server.key, stranger.key, stranger.testKey]) {
      assert.equal((await server.ask('GET', '/api/v1/credits', { key })).status, 200)
    }
  })
})
