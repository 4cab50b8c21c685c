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

test('who needs many places waits until they are free, and who needs more than there are gets in alone', () => {
  const room = new Room(10)
  const first = room.enter(6)
  assert.ok(first !== undefined)
  assert.equal(room.enter(5), undefined)
  assert.ok(room.enter(0) !== undefined)
  assert.equal(room.enter(11), undefined)
  first[Symbol.dispose]()
  assert.ok(room.enter(11) !== undefined)
  assert.equal(room.enter(1), undefined)
  assert.ok(room.enter(0) !== undefined)
})
