import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRange } from './byte-range.ts'

const part = (start: number, end: number) => ({ kind: 'part', span: { start, end } })

describe('readRange', () => {
  it('reads a span, an open end and a suffix', () => {
    assert.deepEqual(readRange('bytes=0-0', 100), part(0, 0))
    assert.deepEqual(readRange('bytes=10-19', 100), part(10, 19))
    assert.deepEqual(readRange('bytes=90-', 100), part(90, 99))
    assert.deepEqual(readRange('bytes=-5', 100), part(95, 99))
  })

  it('ends at the end of the file', () => {
    assert.deepEqual(readRange('bytes=90-9999999999999999999999', 100), part(90, 99))
    assert.deepEqual(readRange('bytes=-1000', 100), part(0, 99))
  })

  it('says when the file has no such bytes', () => {
    for (const header of ['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999-']) {
      assert.deepEqual(readRange(header, 100), { kind: 'unsatisfiable' }, header)
    }
  })

  it('ignores several ranges', () => {
    const several = ['bytes=0-1,5-6', 'bytes=0-1, -5', 'bytes=0-,1-', 'BYTES = 0-0 , 1-1,2-2', 'bytes=0-1,,5-6,']
    for (const header of [...several, 'bytes=0-1,x', 'bytes=,', 'bytes=0-1,', 'bytes=0-1 5-6', 'frames=0-1,2-3']) {
      assert.deepEqual(readRange(header, 100), { kind: 'whole' }, header)
    }
  })

  it('ignores what is absent, malformed or in another unit', () => {
    const ignored = [undefined, '', 'bytes', 'bytes=', 'bytes=-', 'bytes=b-c', 'bytes=5-2', 'bytes=1.5-2', 'bytes=-1-2']
    for (const header of [...ignored, 'frames=0-1', 'bytes=0x0-0x9', 'bytes=+1-2']) {
      assert.deepEqual(readRange(header, 100), { kind: 'whole' }, String(header))
    }
  })
})
