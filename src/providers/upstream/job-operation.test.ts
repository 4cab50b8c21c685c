import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlamelessError } from '../provider.ts'
import { jobId, readJobOperation, toJobOperation } from './job-operation.ts'

test('an id is a word that can be stored and is no way in a path', () => {
  for (const id of ['1', 'task_7', 'a/b', 'x'.repeat(500), '🦋']) assert.ok(jobId.safeParse(id).success, id)
  for (const id of ['', '.', '..', 'x'.repeat(501), 'a\0b', 'a\ud800b', 7, null, {}]) {
    assert.ok(!jobId.safeParse(id).success, JSON.stringify(id))
  }
})

test('an operation is read as it was written, or as an operator writes it', () => {
  for (const credential of ['a1b2', undefined]) {
    assert.deepEqual(readJobOperation(toJobOperation({ id: '7', credential })), { id: '7', credential })
  }
  assert.deepEqual(readJobOperation({ id: '7' }), { id: '7', credential: undefined })
})

test('what is no operation is nobody’s fault over there', () => {
  for (const operation of [{}, { request_id: '7' }, { id: '..' }]) {
    assert.throws(() => readJobOperation(operation), BlamelessError)
  }
})
