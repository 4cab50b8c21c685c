/** A video whose time in storage is over: what becomes of its files and links, and what each dialect says. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, startServer, type TestServer } from '../support/server.ts'
import { create, get, waitForStatus } from './rivya.ts'

const DELETED = /The video was deleted on \d{4}-\d\d-\d\dT[\d:.]+Z, when its time in storage was over\./
const SHORT = { model: 'grok-imagine-video', prompt: 'snow', params: { duration: 6, resolution: '480p' } }

describe('a video whose time is over', () => {
  let server: TestServer
  let link: string
  let id: string
  let uuid: string
  before(async () => {
    server = await startServer()
    id = (await create(server, SHORT)).id
    uuid = id.replace('task_', '')
    link = (await waitForStatus(server, id, ['succeeded'])).result?.primary_url ?? ''
    assert.equal((await server.ask('HEAD', pathOf(link))).status, 200)
    await server.withDatabase((pool) =>
      pool.query(`update media set expires_at = now() - interval '1 second' where task_id = $1`, [uuid]),
    )
  })
  after(() => server.stop())
  const read = (path: string): Promise<Answer> => server.ask('GET', path)

  test('is gone for every link from that second on, before retention has come by', async () => {
    const answer = await server.ask('GET', pathOf(link))
    assert.deepEqual([answer.status, answer.body], [410, { error: 'deleted by retention' }])
    const fresh = await get(server, id)
    assert.deepEqual([fresh.status, fresh.result], ['succeeded', null])
  })

  test('is said to be gone in every dialect', async () => {
    const rivya = await get(server, id)
    assert.equal(rivya.error?.code, 'result_expired')
    assert.match(rivya.error?.message ?? '', DELETED)

    const dashed = [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, uuid)
    const xai = await read(`/xai/v1/videos/${dashed}`)
    assert.equal(xai.status, 200, xai.text)
    assert.match(xai.text, /"status":"expired"/)
    assert.match(xai.text, DELETED)

    const openai = await read(`/openai/v1/videos/video_${uuid}`)
    const expiresAt = Number(/"expires_at":(\d+)/.exec(openai.text)?.[1])
    assert.ok(expiresAt > 0 && expiresAt * 1000 < Date.now(), openai.text)
    const content = await read(`/openai/v1/videos/video_${uuid}/content`)
    assert.equal(content.status, 404)
    assert.match(content.text, DELETED)

    const acedata = await server.ask('POST', '/grok/tasks', { body: { id: dashed } })
    assert.equal(acedata.status, 200, acedata.text)
    assert.match(acedata.text, DELETED)
    assert.doesNotMatch(acedata.text, /video_url/)

    const grokimagineapi = await read(`/grokimagineapi/v1/status?task_id=${id}`)
    assert.match(grokimagineapi.text, /"status":"completed"/)
    assert.match(grokimagineapi.text, /"response":\[\]/)
    assert.match(grokimagineapi.text, DELETED)
  })
})

function pathOf(link: string): string {
  const { pathname, search } = new URL(link)
  return `${pathname}${search}`
}
