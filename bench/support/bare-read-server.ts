/**
 * What a status read would cost with nothing around it: a bare fastify route that runs the very select of the platform,
 * by the same client library with as many connections, and sends the row.
 */
import process from 'node:process'
import fastify from 'fastify'
import { idOf, parseId } from '../../src/canonical/ids.ts'
import { openPool } from '../../src/db/database.ts'
import { selectTask } from '../../src/tasks/queries.ts'

const pool = openPool({ connectionString: process.env['DATABASE_URL'] }, 16)
const wallet = BigInt(process.argv[2] ?? '')
const app = fastify()

app.get<{ Params: { id: string } }>('/api/v1/generations/:id', async ({ params }) => {
  const task = await selectTask(pool, wallet, parseId('task', params.id) ?? idOf('task', params.id))
  return { id: task?.id, status: task?.state, model: task?.model, created_at: task?.createdAt, media: task?.media }
})
process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})
process.stdout.write(`${JSON.stringify({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })}\n`)
