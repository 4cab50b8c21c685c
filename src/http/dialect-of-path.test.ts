import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIALECTS } from '../dialects/index.ts'
import { dialectOfPath } from './dialect-of-path.ts'

test('a path is answered in the words of the dialect it was most likely meant for', () => {
  for (const path of ['/rivya', '/rivya/x', '/api/v1/nope', '/api/v1/generations/a/b?c=d', '/api']) {
    assert.equal(dialectOfPath(DIALECTS, path)?.id, 'rivya', path)
  }
})

test('a path like nobody’s belongs to nobody', () => {
  for (const path of ['/', '', '/nope', '/v2/videos', '//', '/?x=/api/v1', '/RIVYA/api']) {
    assert.equal(dialectOfPath(DIALECTS, path), undefined, path)
  }
})
