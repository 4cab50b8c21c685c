/** The event loop is everybody's: what one account's prompts take of it is bounded by their length, not by their cunning. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { costlyTexts, plainText } from '../support/costly-texts.ts'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'

const PROMPT_CHARACTERS = 4_900
const REQUESTS = 40

/** How much more processor time the worst prompts may take of the server than plain ones, with all that a request costs. */
const MAX_RATIO = 20

/** Refused, and so free: no limit but that of requests counts it. */
const REFUSED = ' nude child'

describe('prompts of one account that are made to take long to judge', () => {
  let server: TestServer
  let other: TestAccount
  before(async () => {
    server = await startServer()
    other = await server.createAccount({ credits: 1_000 })
  })
  after(() => server.stop())

  const create = (prompt: string, key = server.key) =>
    server.ask('POST', '/api/v1/generations', { key, body: { model: 'grok-imagine-video', prompt } })

  async function cpuSecondsOf(prompts: readonly string[]): Promise<number> {
    const before = await cpuSeconds(server)
    for (const prompt of prompts) {
      const { status, text } = await create(`${prompt}${REFUSED}`)
      assert.equal(status, 400, text)
    }
    return (await cpuSeconds(server)) - before
  }

  test('take no more of the server than their length does, and another account is answered between them', async () => {
    const plain = Array.from({ length: REQUESTS }, () => plainText(PROMPT_CHARACTERS))
    const apart = costlyTexts(PROMPT_CHARACTERS).filter(({ name }) => name.startsWith('letters'))
    const step = Math.ceil(apart.length / REQUESTS)
    const hostile = apart.filter((_, index) => index % step === 0).map(({ text }) => text)
    await cpuSecondsOf(plain)
    const plainSeconds = (await cpuSecondsOf(plain)) / plain.length
    const [hostileSeconds, answer] = await Promise.all([
      cpuSecondsOf(hostile),
      create('a quiet sea at sunset', other.key),
    ])
    assert.equal(answer.status, 200, answer.text)
    assert.ok(
      hostileSeconds / hostile.length <= MAX_RATIO * plainSeconds,
      `${hostileSeconds} s, ${plainSeconds} s each`,
    )
  })
})

async function cpuSeconds(server: TestServer): Promise<number> {
  const { text } = await server.ask('GET', '/metrics', { key: null })
  const seconds = /^process_cpu_seconds_total ([\d.e+-]+)$/m.exec(text)?.[1]
  assert.ok(seconds !== undefined, text.slice(0, 500))
  return Number(seconds)
}
