import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Notifications } from '../../src/db/notifications.ts'
import { testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'

describe('the connection that listens', () => {
  test('comes back after it was cut, also when the first tries of coming back fail, and hears again', async () => {
    await using database = await testDatabase()
    let connections = 0
    const heard: (() => void)[] = []
    const nextHeard = () => new Promise<void>((resolve) => heard.push(resolve))
    await using notifications = new Notifications({
      config: { connectionString: database.url },
      handlers: {
        test_channel: () => {
          for (const resolve of heard.splice(0)) resolve()
        },
      },
      onConnected: async (client) => {
        connections += 1
        if (connections === 2) throw new Error('not yet')
        if (connections === 3) await client.query('select 1 / 0')
      },
      onError: () => {},
    })
    await notifications.open()
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'reelay-listen' and datname = current_database()`,
    )
    await once(() => connections === 4)
    const hearing = nextHeard()
    await database.pool.query(`select pg_notify('test_channel', '')`)
    await hearing
    assert.equal(connections, 4)
  })
})

/** Waits until a condition holds, looking at it often. */
async function once(holds: () => boolean): Promise<void> {
  await waitFor(String(holds), holds)
}
