import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutInlineFiles } from './without-inline-files.ts'

const DATA = 'A'.repeat(400)

describe('a body as it is kept', () => {
  test('has a hash in the place of each long data URI, wherever it stands and however it is spelled', () => {
    for (const head of ['data:image/png;base64,', 'DATA:image/png;base64,']) {
      const kept = withoutInlineFiles({ images: [`${head}${DATA}`, 'https://example.com/a.png'], prompt: 'a' })
      assert.match(JSON.stringify(kept), new RegExp(`^{"images":\\["${head}sha256=[0-9a-f]{64}","https://`))
    }
  })

  test('differs where the pictures do', () => {
    const [one, other] = [`${DATA}A`, `${DATA}B`].map((data) => withoutInlineFiles(`data:image/png;base64,${data}`))
    assert.notEqual(one, other)
  })

  test('keeps whatever else it has', () => {
    const body = { prompt: `data: ${DATA}`, nothing: null, list: [1, true, {}], image: 'data:image/png;base64,AAAA' }
    assert.deepEqual(withoutInlineFiles(body), body)
  })
})
