import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeRateLimiter } from '../../test/support/describe-rate-limiter.ts'
import { waitFor } from '../../test/support/patience.ts'
import { redisMissing, TestRedis } from '../../test/support/redis.ts'
import { type AccountId, newId } from '../canonical/ids.ts'
import { RedisRateLimiter } from './rate-limit-redis.ts'

if (redisMissing !== false) process.stderr.write(`Skipped: rate limits in Redis; ${redisMissing}.\n`)

/** Far more than the half second after which Redis counts as away, on a machine that is busy. */
const NO_HANG_MS = 5_000

interface Watched extends AsyncDisposable {
  readonly limiter: RedisRateLimiter
  /** `away` and `back`, as they were told. */
  readonly told: string[]
}

async function open(url: string): Promise<Watched> {
  const told: string[] = []
  const limiter = await RedisRateLimiter.open({
    url,
    onAway: () => told.push('away'),
    onBack: () => told.push('back'),
  })
  return { limiter, told, [Symbol.asyncDispose]: () => limiter[Symbol.asyncDispose]() }
}

function keysOf(account: AccountId): string[] {
  return [`reelay:rate:${account}:live:create`, `reelay:rate:${account}:live:read`]
}

/** The clock of Redis cannot be set; so its windows are moved instead. */
async function moveWindows(redis: TestRedis, account: AccountId, ms: number): Promise<void> {
  await redis.ask(async (client) => {
    for (const key of keysOf(account)) {
      if ((await client.exists(key)) === 0) continue
      const ends = await client.hincrby(key, 'ends', -ms)
      await client.pexpireat(key, ends)
    }
  })
}

describeRateLimiter('RedisRateLimiter, on two nodes', {
  skip: redisMissing,
  make: async () => {
    const redis = await TestRedis.start()
    const [one, two] = [await open(redis.url), await open(redis.url)]
    return {
      limiters: [one.limiter, two.limiter],
      pass: (ms, account) => moveWindows(redis, account, ms),
      now: () =>
        redis.ask(async (client) => {
          const [seconds = 0, microseconds = 0] = await client.time()
          return seconds * 1000 + Math.floor(microseconds / 1000)
        }),
      async [Symbol.asyncDispose]() {
        assert.deepEqual([one.told, two.told], [[], []], 'Redis was never away')
        await one[Symbol.asyncDispose]()
        await two[Symbol.asyncDispose]()
        await redis[Symbol.asyncDispose]()
      },
    }
  },
})

describe('rate limits in Redis', { skip: redisMissing }, () => {
  test('leave nothing behind: a window expires when it ends', async () => {
    await using redis = await TestRedis.start()
    await using node = await open(redis.url)
    const account = newId('acct')
    const { resetAtSeconds } = await node.limiter.take({ account, mode: 'live', kind: 'create' }, 1)
    await redis.ask(async (client) => {
      const [key = ''] = keysOf(account)
      const ends = Number(await client.hget(key, 'ends'))
      assert.equal(await client.pexpiretime(key), ends)
      assert.equal(Math.ceil(ends / 1000), resetAtSeconds)
    })
    await moveWindows(redis, account, 60_000)
    await waitFor('the window to expire', async () =>
      (await redis.ask((client) => client.dbsize())) === 0 ? true : undefined,
    )
  })

  test('are counted in memory at once when Redis is killed, and together again when it is back', async () => {
    await using redis = await TestRedis.start()
    await using one = await open(redis.url)
    await using two = await open(redis.url)
    const account = newId('acct')
    const take = async ({ limiter }: Watched) =>
      (await limiter.take({ account, mode: 'live', kind: 'create' }, 2)).allowed
    assert.deepEqual([await take(one), await take(two), await take(one)], [true, true, false])

    // Some requests are under way when it dies: they are answered, too.
    const underWay = Array.from({ length: 50 }, () =>
      one.limiter.take({ account: newId('acct'), mode: 'live', kind: 'read' }, 1),
    )
    await redis.kill()
    assert.ok((await Promise.all(underWay)).every(({ allowed }) => allowed))

    // Each node allows the whole limit, and no more.
    assert.deepEqual([await take(one), await take(one), await take(one)], [true, true, false])
    assert.deepEqual([await take(two), await take(two), await take(two)], [true, true, false])
    assert.deepEqual([one.told, two.told], [['away'], ['away']])

    await redis.restart()
    for (const { told } of [one, two]) {
      await waitFor('Redis to be found again', () => (told.at(-1) === 'back' ? true : undefined))
    }
    assert.deepEqual([await take(one), await take(two), await take(one), await take(two)], [true, true, false, false])
    assert.deepEqual(one.told, ['away', 'back'])
  })

  test('do not hang on a Redis that is silent, nor on one that comes back to life', async () => {
    await using redis = await TestRedis.start()
    await using node = await open(redis.url)
    const account = newId('acct')
    await node.limiter.take({ account, mode: 'live', kind: 'create' }, 10)
    redis.freeze()
    const started = performance.now()
    const states = await Promise.all(
      Array.from({ length: 20 }, () => node.limiter.take({ account, mode: 'live', kind: 'create' }, 10)),
    )
    assert.equal(states.filter(({ allowed }) => allowed).length, 10)
    assert.ok(performance.now() - started < NO_HANG_MS)
    assert.deepEqual(node.told, ['away'])
    // From then on nobody waits: the node answers in the same turn.
    assert.ok(!(node.limiter.take({ account, mode: 'live', kind: 'read' }, 10) instanceof Promise))
    redis.thaw()
    await waitFor('Redis to be found again', () => (node.told.at(-1) === 'back' ? true : undefined))
  })

  test('are counted in memory while Redis answers with errors', async () => {
    await using redis = await TestRedis.start()
    await using node = await open(redis.url)
    const account = newId('acct')
    await redis.ask((client) => client.set(`reelay:rate:${account}:live:create`, 'of another type'))
    assert.equal((await node.limiter.take({ account, mode: 'live', kind: 'create' }, 1)).allowed, true)
    assert.equal((await node.limiter.take({ account, mode: 'live', kind: 'create' }, 1)).allowed, false)
    assert.deepEqual(node.told, ['away'])
    await redis.ask((client) => client.flushall())
    assert.equal((await node.limiter.take({ account, mode: 'live', kind: 'create' }, 1)).allowed, true)
    assert.deepEqual(node.told, ['away', 'back'])
  })

  test('do not need Redis to start with', async () => {
    await using redis = await TestRedis.start()
    await redis.kill()
    await using node = await open(redis.url)
    assert.deepEqual(node.told, ['away'])
    assert.equal((await node.limiter.take({ account: newId('acct'), mode: 'live', kind: 'create' }, 1)).allowed, true)
    await redis.restart()
    await waitFor('Redis to be found', () => (node.told.at(-1) === 'back' ? true : undefined))
  })
})
