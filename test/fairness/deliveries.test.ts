/** Places of deliveries: slow receivers of some accounts beside one that answers. */
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { newId, uuidOf } from '../../src/canonical/ids.ts'
import { fetchPolicy } from '../../src/media/fetch-policy.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { DELIVERY_KINDS, type DeliveryKind } from '../../src/webhooks/delivery.ts'
import { openWorkshop, until, type Workshop } from '../faults/workshop.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

/** Accounts whose receivers never answer, each with more due deliveries, to more hosts, than any account may have under way. */
const SLOW: Readonly<Record<DeliveryKind, { readonly accounts: number; readonly each: number }>> = {
  callback: { accounts: 4, each: 60 },
  upload: { accounts: 4, each: 16 },
}

/** Deliveries to one of these in turn: a single host has a bound of its own. */
const HOSTS = 16

async function insertDue(shop: Workshop, about: { kind: DeliveryKind; urls: readonly string[] }): Promise<void> {
  const wallet = await shop.account()
  for (const url of about.urls) {
    const task = newId('task')
    await shop.pool.query(
      `insert into tasks (id, wallet_id, dialect, model, request, trace_id, price_credits, provider, deadline_at, state)
       values ($1, $2, 'test', 'test', '{}', $1, 0, 'test', now(), $3)`,
      [uuidOf(task), wallet, about.kind === 'upload' ? 'succeeded' : 'canceled'],
    )
    if (about.kind === 'upload') await insertVideo(shop, uuidOf(task))
    await shop.pool.query(
      `insert into deliveries (id, task_id, account_id, kind, url, due_at)
       select $1, $2, w.account_id, $3, $4, now() from wallets w where w.id = $5`,
      [randomUUID(), uuidOf(task), about.kind, url, wallet],
    )
  }
}

async function insertVideo(shop: Workshop, task: string): Promise<void> {
  const storeKey = `aa/${task}.mp4`
  await shop.store.put(storeKey, shop.videoPath)
  await shop.pool.query(
    `insert into media (id, task_id, kind, store_key, mime_type, size_bytes, sha256, expires_at)
     values ($1, $2, 'video', $3, 'video/mp4', $4, sha256('x'), now() + interval '1 day')`,
    [randomUUID(), task, storeKey, (await shop.store.stat(storeKey))?.sizeBytes],
  )
}

/** Receivers on loopback, each a host by its port, that are closed together. */
async function startReceivers(
  count: number,
  answer: () => Promise<number>,
): Promise<{ readonly receivers: readonly Receiver[] } & AsyncDisposable> {
  const receivers = await Promise.all(Array.from({ length: count }, () => startReceiver(answer)))
  return {
    receivers,
    async [Symbol.asyncDispose]() {
      await Promise.all(receivers.map((each) => each[Symbol.asyncDispose]()))
    },
  }
}

describe('slow receivers of four accounts', () => {
  for (const kind of DELIVERY_KINDS) {
    test(`leave places for the ${kind} of another account, whether it is due with theirs or later`, async () => {
      await using shop = await openWorkshop()
      let end = (_status: number) => {}
      const ended = new Promise<number>((resolve) => {
        end = resolve
      })
      await using slow = await startReceivers(HOSTS, () => ended)
      await using prompt = await startReceiver(200)
      const { accounts, each } = SLOW[kind]
      for (let account = 0; account < accounts; account++) {
        await insertDue(shop, {
          kind,
          urls: Array.from({ length: each }, (_, n) => `${slow.receivers[n % HOSTS]?.url}/`),
        })
      }
      await insertDue(shop, { kind, urls: [`${prompt.url}/`] })
      const metrics = createMetrics({ openTasks: async () => [], pendingDeliveries: async () => new Map() })
      const deliveries = {
        policy: fetchPolicy(['127.0.0.0/8']),
        renderCallback: async () => ({}),
        deliveries: metrics.deliveries,
        now: () => new Date(),
      }
      await shop.worker(new ScriptedProvider({ videoPath: shop.videoPath }), { deliveries })
      await until('the one that is due last is delivered', () => prompt.received.length === 1)
      await until('each of the slow accounts has some under way', async () => {
        const { rows } = await shop.pool.query(
          `select from deliveries where state = 'pending' and lease_owner is not null group by account_id`,
        )
        return rows.length === accounts
      })
      await insertDue(shop, { kind, urls: [`${prompt.url}/`] })
      await until('the one that comes later is delivered', () => prompt.received.length === 2)
      end(200)
    })
  }
})
