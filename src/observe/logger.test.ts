import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { withoutKeys } from './logger.ts'

test('a line of the log loses every key, and nothing else', () => {
  const key = `rly_live_${'aB3-_'.repeat(8)}`
  assert.equal(withoutKeys(`{"url":"/x?${key}=1","k":"rly_test_abc"}`), '{"url":"/x?rly_live_…=1","k":"rly_test_…"}')
  assert.equal(withoutKeys('{"msg":"rly_live_… is the form of a key"}'), '{"msg":"rly_live_… is the form of a key"}')
  assert.equal(withoutKeys('{"msg":"nothing"}'), '{"msg":"nothing"}')
})

test('the log itself is written so', () => {
  const program = `
    const { createLogger } = await import('${new URL('./logger.ts', import.meta.url)}')
    createLogger('info').error({ err: new Error('at rly_live_${'a'.repeat(32)}') }, 'rly_test_${'b'.repeat(32)}')`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program]
  const line = execFileSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(line, /at rly_live_…/)
  assert.doesNotMatch(line, /aaa|bbb/)
  assert.ok(JSON.parse(line))
})
