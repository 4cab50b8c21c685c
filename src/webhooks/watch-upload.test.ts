import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { watchUpload } from './watch-upload.ts'

const WINDOW = { windowMs: 1_000, minBytes: 100 }

function watch(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upload = watchUpload(WINDOW)
  t.after(() => upload[Symbol.dispose]())
  return { ...upload, passWindow: () => t.mock.timers.tick(WINDOW.windowMs) }
}

test('a receiver that takes too little in a window is too slow', (t) => {
  const { body, tooSlow, passWindow } = watch(t)
  body.write(Buffer.alloc(100))
  passWindow()
  assert.equal(tooSlow.aborted, false)
  body.write(Buffer.alloc(99))
  passWindow()
  assert.equal(tooSlow.aborted, true)
})

test('a receiver that has taken all has a whole window to answer', async (t) => {
  const { body, tooSlow, passWindow } = watch(t)
  body.end(Buffer.alloc(10))
  for await (const _ of body);
  passWindow()
  assert.equal(tooSlow.aborted, false)
  passWindow()
  assert.equal(tooSlow.aborted, true)
})
