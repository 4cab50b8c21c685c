import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Room } from './room.ts'

test('a room has so many places, and each is given back once', () => {
  const room = new Room(2)
  const first = room.enter()
  assert.ok(first !== undefined)
  room.enter()
  assert.equal(room.enter(), undefined)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.equal(room.taken, 1)
  assert.ok(room.enter() !== undefined)
  assert.equal(room.enter(), undefined)
})
