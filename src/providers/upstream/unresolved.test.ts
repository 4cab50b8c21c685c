import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Upstream } from './upstream.ts'

test('a create to a name that leads nowhere was surely not delivered', async () => {
  await using upstream = new Upstream({ baseUrl: 'http://nowhere.invalid/v1', apiKeys: [], timeoutMs: 10_000 })
  const call = await upstream.create({
    method: 'POST',
    path: '/videos',
    json: {},
    signal: new AbortController().signal,
  })
  assert.equal(call.kind, 'undelivered')
})
