import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { newId } from '../canonical/ids.ts'
import { type AcceptedJob, AcceptedJournal } from './accepted-journal.ts'

function job(id: string): AcceptedJob {
  return { task: newId('task'), attempt: newId('att'), provider: 'main', operation: { id, text: 'ü\n"' } }
}

describe('the journal of accepted jobs', () => {
  let root: string
  let folder: string
  let folders = 0
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'reelay-journal-'))
  })
  beforeEach(() => {
    folders += 1
    folder = join(root, `${folders}`)
  })
  after(() => rm(root, { recursive: true, force: true }))

  /** What a process would find that starts now. */
  async function left(): Promise<readonly AcceptedJob[]> {
    return (await new AcceptedJournal(folder).takeUp()).jobs
  }

  async function onlyFile(): Promise<string> {
    const [name, ...others] = await readdir(folder)
    assert.ok(name !== undefined && others.length === 0)
    return join(folder, name)
  }

  it('gives the next process the jobs that were not saved, and no others', async () => {
    const journal = new AcceptedJournal(folder)
    const [saved, kept, last] = [job('a'), job('b'), job('c')]
    await Promise.all([journal.append(saved), journal.append(kept)])
    await journal.append(last)
    journal.remove(saved.attempt)
    journal.remove(last.attempt)
    await journal[Symbol.asyncDispose]()
    const found = await new AcceptedJournal(folder).takeUp()
    assert.ok(found.jobs.some((each) => each.attempt === kept.attempt))
    assert.deepEqual(
      found.jobs.find((each) => each.attempt === kept.attempt),
      kept,
    )
    await found.forget()
    assert.deepEqual(await left(), [])
    assert.deepEqual(await readdir(folder), [])
  })

  it('leaves nothing behind when all is saved', async () => {
    const journal = new AcceptedJournal(folder)
    const one = job('a')
    await journal.append(one)
    journal.remove(one.attempt)
    await journal[Symbol.asyncDispose]()
    assert.deepEqual(await readdir(folder), [])
  })

  it('is readable by its owner alone', async () => {
    const journal = new AcceptedJournal(folder)
    await journal.append(job('a'))
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    assert.equal((await stat(await onlyFile())).mode & 0o777, 0o600)
    await journal[Symbol.asyncDispose]()
  })

  it('tells and drops a line that was torn or damaged, wherever it stands, and keeps the others', async () => {
    const journal = new AcceptedJournal(folder)
    const jobs = [job('a'), job('b'), job('c')]
    for (const each of jobs) await journal.append(each)
    await journal[Symbol.asyncDispose]()
    const path = await onlyFile()
    const lines = (await readFile(path, 'utf8')).split('\n')
    lines[1] = (lines[1] ?? '').replace('"id":"b"', '"id":"x"')
    await writeFile(path, lines.join('\n'))
    for (const tail of ['0123456789abcdef {"task":"task_', '\u0000\u0000\u0000\n', '0123456789abcdef', 'not json']) {
      await appendFile(path, `${tail}\n`)
    }
    const found = await new AcceptedJournal(folder).takeUp()
    assert.deepEqual(found.jobs, [jobs[0], jobs[2]])
    assert.equal(found.damagedLines, 5)
  })

  it('keeps a job whose line was cut anywhere out, and every job before it in', async () => {
    const journal = new AcceptedJournal(folder)
    const [first, second] = [job('a'), job('b')]
    await journal.append(first)
    const whole = (await stat(await onlyFile())).size
    await journal.append(second)
    await journal[Symbol.asyncDispose]()
    const bytes = await readFile(await onlyFile())
    await rm(folder, { recursive: true })
    // Without its line break the second line is whole, too.
    for (let end = whole; end < bytes.length - 1; end += 7) {
      await new AcceptedJournal(folder).takeUp()
      await writeFile(join(folder, 'cut.jsonl'), bytes.subarray(0, end))
      assert.deepEqual(await left(), [first], `cut at ${end}`)
      await rm(folder, { recursive: true })
    }
  })

  it('loses nothing to another process that takes its file up while it writes', async () => {
    const journal = new AcceptedJournal(folder)
    const jobs: AcceptedJob[] = []
    const found = new Set<string>()
    for (let n = 0; n < 20; n += 1) {
      const batch = [job(`${n} a`), job(`${n} b`), job(`${n} c`)]
      jobs.push(...batch)
      const other = new AcceptedJournal(folder).takeUp()
      await Promise.all(batch.map((each) => journal.append(each)))
      const taken = await other
      for (const { attempt } of taken.jobs) found.add(attempt)
      await taken.forget()
    }
    for (const { attempt } of await left()) found.add(attempt)
    assert.deepEqual(
      jobs.filter(({ attempt }) => !found.has(attempt)),
      [],
    )
    await journal[Symbol.asyncDispose]()
  })

  it('stays small however many jobs pass through while one is not saved', async () => {
    const journal = new AcceptedJournal(folder)
    const stuck = job('stuck')
    await journal.append(stuck)
    const padding = 'x'.repeat(20_000)
    for (let n = 0; n < 20; n += 1) {
      const batch = Array.from({ length: 10 }, () => job(padding))
      await Promise.all(batch.map((each) => journal.append(each)))
      for (const { attempt } of batch) journal.remove(attempt)
    }
    await journal[Symbol.asyncDispose]()
    assert.ok((await stat(await onlyFile())).size < 2 * 1024 * 1024)
    assert.ok((await left()).some(({ attempt }) => attempt === stuck.attempt))
  })

  it('says when the disk does not take a job, and writes it as soon as it does', async () => {
    // A file where the folder should be stands for any refusal: root may write into read-only folders.
    await writeFile(folder, '')
    const journal = new AcceptedJournal(folder)
    const [early, late] = [job('early'), job('late')]
    await assert.rejects(journal.append(early))
    await rm(folder)
    await journal.append(late)
    assert.deepEqual(new Set(await left()), new Set([early, late]))
    await journal[Symbol.asyncDispose]()
  })
})
