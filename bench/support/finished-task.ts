import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { newId, type TaskId, uuidOf } from '../../src/canonical/ids.ts'

const REQUEST = {
  model: 'grok-imagine-video',
  prompt: 'A cinematic product reveal with smooth camera movement',
  mode: 'normal',
  durationSeconds: 6,
  resolution: '480p',
  aspectRatio: '2:3',
  seed: 1,
}

/** A task that went the whole way, with its media rows, by the statements that the platform itself uses. */
export async function finishedTask(pool: pg.Pool, wallet: bigint): Promise<TaskId> {
  const id = newId('task')
  const task = { id: uuidOf(id), wallet_id: String(wallet), dialect: 'rivya', model: REQUEST.model, request: REQUEST }
  const create = {
    ...task,
    trace_id: uuidOf(newId('req')),
    body: REQUEST,
    price_credits: '10',
    provider: 'animatic',
    queue_seconds: 60,
  }
  await pool.query('select submit_tasks($1, $2)', [JSON.stringify([create]), '1 day'])
  await pool.query(`update tasks set state = 'submitting' where id = $1`, [uuidOf(id)])
  await pool.query(`update tasks set state = 'collecting' where id = $1`, [uuidOf(id)])
  const media = [
    { kind: 'video', mime_type: 'video/mp4', width: 480, height: 720, duration_seconds: 6 },
    { kind: 'poster', mime_type: 'image/jpeg', width: 480, height: 720 },
    { kind: 'spritesheet', mime_type: 'image/jpeg', width: 1070, height: 640 },
    { kind: 'manifest', mime_type: 'application/json' },
  ].map((each) => ({
    ...each,
    id: uuidOf(newId('med')),
    store_key: randomBytes(8).toString('hex'),
    size_bytes: 1_000,
    sha256: randomBytes(32).toString('hex'),
    keep_seconds: 3_600,
  }))
  await pool.query(`select settle_task($1, null, array['collecting'], 'succeeded', 10, null, null, $2)`, [
    uuidOf(id),
    JSON.stringify(media),
  ])
  return id
}
