/** The program of `embedded-process.ts`: opens the directory, reports, and leaves when told to. */
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'

const [directory = '', role = ''] = process.argv.slice(2)
const postgres = await openEmbeddedPostgres({ directory })
postgres.onLost((reason) => process.send?.({ lost: reason.message }))
postgres.onInterruption((interruption) => {
  process.send?.(interruption.kind === 'broken_off' ? { brokenOff: interruption.reason.message } : interruption)
})
if (role === 'server') await postgres.claimServer()
process.send?.({ adopted: postgres.adopted, pid: postgres.pid, url: postgres.connectionString })
process.once('message', async () => {
  await postgres[Symbol.asyncDispose]()
  process.disconnect()
})
