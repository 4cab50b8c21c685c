/** What the acceptance tests of provider webhooks cannot bring about by themselves: too many calls, and no database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { openPool } from '../db/database.ts'
import type { Provider } from '../providers/provider.ts'
import { ProviderWebhookAddresses } from './provider-webhook-addresses.ts'
import { mountProviderWebhooks, type ProviderWebhookRoute } from './provider-webhook-route.ts'

const addresses = new ProviderWebhookAddresses({ publicUrl: 'https://video.example.com', secret: Buffer.alloc(32, 1) })
const provider: Provider = Object.assign(new ScriptedProvider({ id: 'main' }), {
  parseWebhook: () => ({ kind: 'hint', jobId: 'job' }) as const,
})

async function answered(change: Partial<ProviderWebhookRoute>): Promise<Response> {
  // Nobody listens there.
  const db = openPool({ connectionString: 'postgres://127.0.0.1:1/none' }, 1)
  const app = fastify()
  try {
    mountProviderWebhooks(app, {
      db,
      waker: { wake: () => assert.fail() },
      addresses,
      provider: () => provider,
      ...change,
    })
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    return await fetch(`${origin}${new URL(addresses.urlOf('main') ?? '').pathname}`, { method: 'POST', body: '{}' })
  } finally {
    await app.close()
    await db.end()
  }
}

test('a provider that calls too often is asked to come again', async () => {
  const { status, headers } = await answered({ budget: { take: () => false } })
  assert.deepEqual([status, headers.get('retry-after')], [429, '1'])
})

test('a call that finds no database is to be made again', async () => {
  const { status, headers } = await answered({})
  assert.deepEqual([status, headers.get('retry-after')], [503, '2'])
})

test('an address leads to one provider of one installation', () => {
  const others = new ProviderWebhookAddresses({ publicUrl: undefined, secret: Buffer.alloc(32, 2) })
  const token = addresses.urlOf('main')?.split('/').at(-1) ?? ''
  assert.match(token, /^[\w-]{43}$/)
  assert.equal(addresses.isGenuine('main', token), true)
  assert.equal(addresses.isGenuine('other', token), false)
  assert.equal(others.isGenuine('main', token), false)
  assert.equal(others.urlOf('main'), undefined)
})
