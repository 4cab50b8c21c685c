import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createI420Writer } from './i420.ts'

const PLAIN = { contrast: 1, saturation: 1, warmth: 0 }
const SIDE = 64

function emptyPlanes(): Uint8Array {
  return new Uint8Array((SIDE * SIDE * 3) / 2)
}

function means(pixel: readonly [number, number, number]): readonly [number, number, number] {
  const rgba = new Uint8Array(SIDE * SIDE * 4)
  for (let at = 0; at < rgba.length; at += 4) rgba.set([...pixel, 255], at)
  const planes = createI420Writer({ width: SIDE, height: SIDE, seed: 1, grade: PLAIN }).write(rgba, 0, emptyPlanes())
  const mean = (part: Uint8Array) => part.reduce((sum, value) => sum + value, 0) / part.length
  const middle = Uint8Array.from(
    { length: 16 * 16 },
    (_, index) => planes[(24 + (index >> 4)) * SIDE + 24 + (index & 15)] ?? 0,
  )
  const [y, uv] = [SIDE * SIDE, (SIDE * SIDE) / 4]
  return [mean(middle), mean(planes.subarray(y, y + uv)), mean(planes.subarray(y + uv))]
}

function close(actual: readonly number[], expected: readonly number[]): void {
  for (const [index, value] of expected.entries()) {
    assert.ok(
      Math.abs((actual[index] ?? Number.NaN) - value) <= 2,
      `${actual.join(', ')} is not ${expected.join(', ')}`,
    )
  }
}

test('converts by BT.709 into the tv range', () => {
  close(means([0, 0, 0]), [17, 128, 128])
  close(means([255, 255, 255]), [234, 128, 128])
  close(means([255, 0, 0]), [63, 102, 240])
  close(means([0, 255, 0]), [173, 42, 26])
  close(means([0, 0, 255]), [32, 240, 118])
})

test('adds grain that moves from frame to frame, and dims the corners', () => {
  const writer = createI420Writer({ width: SIDE, height: SIDE, seed: 1, grade: PLAIN })
  const grey = new Uint8Array(SIDE * SIDE * 4).fill(128)
  const first = writer.write(grey, 0, emptyPlanes())
  assert.notDeepEqual(writer.write(grey, 1, emptyPlanes()), first)
  assert.ok((first[0] ?? 255) < (first[32 * SIDE + 32] ?? 0) - 10)
})
