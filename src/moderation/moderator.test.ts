import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pino from 'pino'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { type Answering, startReceiver } from '../../test/support/receiver.ts'
import { createAccount } from '../accounts/create-account.ts'
import type { Account } from '../accounts/queries.ts'
import { type Id, newId, uuidOf } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Queryable } from '../db/database.ts'
import { type CheckedPrompt, Moderator, type ModeratorOptions } from './moderator.ts'
import { deleteOldRefusals } from './queries.ts'

const REFUSED = 'a nude child'
const HARMLESS = 'a quiet sea'
const KEY = 'sk-of-the-moderation'

let database: TestDatabase
let account: Account
before(async () => {
  database = await testDatabase()
  const made = await createAccount(database.pool, { name: 'a', plan: 'pro', credits: 0n, spicyAllowed: true })
  account = made.account
})
after(() => database[Symbol.asyncDispose]())

interface Moderation extends AsyncDisposable {
  readonly moderator: Moderator
  /** What was logged, as text. */
  readonly logged: () => string
}

function moderation(options: Partial<ModeratorOptions> = {}): Moderation {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const moderator = new Moderator({ rules: true, db: database.pool, log, ...options })
  return { moderator, logged: () => lines.join(''), [Symbol.asyncDispose]: () => moderator[Symbol.asyncDispose]() }
}

function asked(prompt: string, more: Partial<CheckedPrompt> = {}): CheckedPrompt {
  return { prompt, mode: 'normal', hasPicture: false, account, dialect: 'rivya', requestId: newId('req'), ...more }
}

async function refusalOf(checked: Promise<void>): Promise<Refusal> {
  const error = await checked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Refusal, String(error))
  return error
}

async function rowOf(requestId: Id<'req'>) {
  const { rows } = await database.pool.query(
    `select account_id, dialect, source, rule, category, encode(prompt_sha256, 'hex') as sha256
     from moderation_refusals where trace_id = $1`,
    [uuidOf(requestId)],
  )
  return rows
}

/** Answers with JSON, and with a status. */
function saying(answer: unknown, status = 200, headers: Record<string, string> = {}): Answering {
  return (_received, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(answer))
    return undefined
  }
}

function flagged(...names: string[]) {
  const categories = Object.fromEntries(names.map((name) => [name, true]))
  return { id: 'modr-1', results: [{ flagged: names.length > 0, categories: { violence: false, ...categories } }] }
}

function endpointAt(url: string, whenAway: 'refuse' | 'allow' = 'refuse') {
  return { endpoint: { baseUrl: `${url}/v1`, apiKey: KEY, model: 'omni', whenAway, timeoutSeconds: 0.5 } }
}

describe('the moderator', () => {
  test('lets a harmless prompt pass, and an empty one beside a picture', async () => {
    await using it = moderation()
    await it.moderator.check(asked(HARMLESS))
    await it.moderator.check(asked('', { hasPicture: true }))
    assert.equal(it.logged(), '')
  })

  test('refuses by the rules with a sentence, a line in the log and a row, none of which has the prompt', async () => {
    await using it = moderation()
    const about = asked(REFUSED)
    const refusal = await refusalOf(it.moderator.check(about))
    assert.equal(refusal.code, 'moderated')
    assert.match(refusal.message, /sexual content with minors/)
    const sha256 = createHash('sha256').update(REFUSED).digest('hex')
    const written = { source: 'rules', rule: 'minors.sexual', category: 'sexual_minors' }
    assert.deepEqual(await rowOf(about.requestId), [
      { account_id: uuidOf(account.id), dialect: 'rivya', sha256, ...written },
    ])
    const { level: _, time: __, pid: ___, hostname: ____, msg: _____, ...line } = JSON.parse(it.logged())
    const { requestId } = about
    assert.deepEqual(line, { ...written, account: account.id, requestId, dialect: 'rivya', promptSha256: sha256 })
    assert.ok(!`${it.logged()}${refusal.message}`.includes('nude'))
  })

  test('refuses although the row cannot be written, or not in time', async () => {
    const failing: Queryable = { query: () => Promise.reject(new Error('the database is away')) }
    await using broken = moderation({ db: failing })
    assert.equal((await refusalOf(broken.moderator.check(asked(REFUSED)))).code, 'moderated')
    assert.match(broken.logged(), /could not be recorded/)
    const hanging: Queryable = { query: () => new Promise<never>(() => {}) }
    await using stuck = moderation({ db: hanging })
    assert.equal((await refusalOf(stuck.moderator.check(asked(REFUSED)))).code, 'moderated')
  })

  test('asks nobody when it is switched off', async () => {
    await using it = moderation({ rules: false })
    await it.moderator.check(asked(REFUSED))
  })

  test('forgets refusals that are old, and no others', async () => {
    await using it = moderation()
    const [old, young] = [asked(REFUSED), asked(REFUSED)]
    for (const each of [old, young]) await refusalOf(it.moderator.check(each))
    await database.pool.query(
      `update moderation_refusals set created_at = now() - interval '91 days' where trace_id = $1`,
      [uuidOf(old.requestId)],
    )
    assert.equal(await deleteOldRefusals(database.pool, { days: 90, limit: 10 }), 1)
    assert.deepEqual([(await rowOf(old.requestId)).length, (await rowOf(young.requestId)).length], [0, 1])
  })
})

describe('a moderation endpoint', () => {
  test('is asked as documented, after the rules, and lets pass what it does not flag', async () => {
    await using receiver = await startReceiver(saying(flagged()))
    await using it = moderation(endpointAt(receiver.url))
    await refusalOf(it.moderator.check(asked(REFUSED)))
    assert.equal(receiver.received.length, 0)
    await it.moderator.check(asked(HARMLESS))
    const [sent] = receiver.received
    assert.equal(`${sent?.method} ${sent?.path}`, 'POST /v1/moderations')
    assert.equal(sent?.headers.authorization, `Bearer ${KEY}`)
    assert.deepEqual(JSON.parse(String(sent?.body)), { input: HARMLESS, model: 'omni' })
  })

  for (const [names, rule, category] of [
    [['sexual', 'sexual/minors'], 'sexual/minors', 'sexual_minors'],
    [['sexual'], 'sexual', 'explicit'],
    [['violence'], 'violence', 'policy'],
    [[`Own "Words" ${'x'.repeat(99)}`], 'other', 'policy'],
  ] as const) {
    test(`refuses what it flags as ${names.join(', ').slice(0, 30)}`, async () => {
      await using receiver = await startReceiver(saying(flagged(...names)))
      await using it = moderation(endpointAt(receiver.url))
      const about = asked(HARMLESS)
      assert.equal((await refusalOf(it.moderator.check(about))).code, 'moderated')
      const [row] = await rowOf(about.requestId)
      assert.deepEqual([row.source, row.rule, row.category], ['endpoint', rule, category])
    })
  }

  test('does not refuse in the mode spicy what is only sexual', async () => {
    await using receiver = await startReceiver(saying(flagged('sexual')))
    await using it = moderation(endpointAt(receiver.url))
    await it.moderator.check(asked(HARMLESS, { mode: 'spicy' }))
    const notAllowed = { ...account, spicyAllowed: false }
    await refusalOf(it.moderator.check(asked(HARMLESS, { mode: 'spicy', account: notAllowed })))
    receiver.answer(saying(flagged('sexual', 'sexual/minors')))
    await refusalOf(it.moderator.check(asked(HARMLESS, { mode: 'spicy' })))
  })

  const away: readonly (readonly [string, Answering | number])[] = [
    ['answers 500', 500],
    ['does not know the key', 401],
    ['answers another JSON', saying({ results: [] })],
    ['answers HTML', (_, response) => void response.end('<html></html>')],
    ['answers without end', saying({ ...flagged(), padding: 'x'.repeat(100_000) })],
    ['hangs', () => undefined],
    ['hangs up', (_, response) => void response.destroy()],
  ]
  for (const [how, answer] of away) {
    test(`that ${how} refuses for a while, or lets pass, as configured`, async () => {
      await using receiver = await startReceiver(answer)
      await using strict = moderation(endpointAt(receiver.url))
      const refusal = await refusalOf(strict.moderator.check(asked(HARMLESS)))
      assert.deepEqual([refusal.code, refusal.retryAfterSeconds], ['unavailable', 5])
      await using lenient = moderation(endpointAt(receiver.url, 'allow'))
      await lenient.moderator.check(asked(HARMLESS))
      for (const text of [strict.logged(), lenient.logged(), refusal.message]) {
        assert.ok(!text.includes(HARMLESS) && !text.includes(KEY) && !text.includes('html'), text)
      }
      assert.match(lenient.logged(), /did not judge/)
    })
  }

  test('is not got past by hanging up, also where it may be away', async () => {
    await using receiver = await startReceiver(() => undefined)
    await using it = moderation(endpointAt(receiver.url, 'allow'))
    const leaving = new AbortController()
    const refusal = refusalOf(it.moderator.check(asked(HARMLESS, { leaving: () => leaving.signal })))
    leaving.abort()
    assert.equal((await refusal).code, 'unavailable')
    // Nor by having left before.
    assert.equal(
      (await refusalOf(it.moderator.check(asked(HARMLESS, { leaving: () => leaving.signal })))).code,
      'unavailable',
    )
  })

  test('that limits is asked again when it says, within a minute', async () => {
    await using receiver = await startReceiver(saying({}, 429, { 'retry-after': '17' }))
    await using it = moderation(endpointAt(receiver.url))
    assert.equal((await refusalOf(it.moderator.check(asked(HARMLESS)))).retryAfterSeconds, 17)
    receiver.answer(saying({}, 429, { 'retry-after': '86400' }))
    assert.equal((await refusalOf(it.moderator.check(asked(HARMLESS)))).retryAfterSeconds, 60)
  })
})
