import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../canonical/refusal.ts'
import { parseLargeJson } from './parse-large-json.ts'

const MIB = 1024 * 1024

const parse = (text: string) => parseLargeJson(Buffer.from(text))

async function refuses(body: string | Buffer, code: string, says: RegExp): Promise<void> {
  await assert.rejects(parseLargeJson(Buffer.from(body)), (error) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, says)
    return true
  })
}

function dataUri(bytes: number): string {
  return `data:image/png;base64,${'QUJD'.repeat(bytes / 4)}`
}

describe('parseLargeJson', () => {
  test('reads small bodies, and large ones with data URIs, as they are', async () => {
    for (const body of [
      { prompt: 'a' },
      { prompt: 'a "quoted" text', image: { url: dataUri(5 * MIB) } },
      { images: [dataUri(MIB), 'https://x', dataUri(2 * MIB), dataUri(MIB)], prompt: 'b\\"' },
      dataUri(MIB),
    ]) {
      assert.deepEqual(await parse(JSON.stringify(body)), body)
    }
  })

  test('reads whatever escapes a data URI has, wherever its pieces end', async () => {
    const escapes = ['\\/', '\\n', '\\u0041', '\\u00e9', '\\ud83c\\udf0a', '\\\\', 'é', '🌊', 'A', 'QUJD', '\\"']
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...escapes), { minLength: 1, maxLength: 20 }), async (each) => {
        const head = `${each.filter((one) => one !== '\\"').join('')}A`
        const text = `{"url":"data:a,${each.join('')}${head.repeat(Math.ceil((1.2 * MIB) / Buffer.byteLength(head)))}"}`
        assert.deepEqual(await parse(text), JSON.parse(text))
      }),
      { numRuns: 20 },
    )
  })

  test('lets others have their turn between the pieces', async () => {
    let turns = 0
    const counting = setInterval(() => {}, 1_000_000)
    const count = () => {
      turns += 1
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    await parse(JSON.stringify({ url: dataUri(24 * MIB) }))
    clearImmediate(immediate)
    clearInterval(counting)
    assert.ok(turns >= 24, `${turns}`)
  })

  test('refuses what is large and no data URI, without reading on', async () => {
    const large = 20 * MIB
    const tooLong = /^prompt is too long; allowed: less than 262144 bytes beside pictures/
    for (const prompt of ['a'.repeat(large), '\\"'.repeat(large / 2), '\\'.repeat(large)]) {
      await refuses(`{"prompt" : "${prompt}"}`, 'invalid_field', tooLong)
    }
    await refuses(`{"a":"${dataUri(MIB)}","prompt":"${'a'.repeat(300_000)}"}`, 'invalid_field', tooLong)
    const tooLarge = /262144 bytes beside pictures/
    for (const body of [
      `{"prompt":"a"${' '.repeat(large)}}`,
      `[${'1,'.repeat(large / 2)}1]`,
      '['.repeat(large),
      `"${'a'.repeat(large)}"`,
    ]) {
      await refuses(body, 'body_too_large', tooLarge)
    }
  })

  test('refuses more texts than a body may have values, without reading on', async () => {
    const large = 20 * MIB
    await refuses(`[${'"a",'.repeat(large / 4)}1]`, 'malformed_body', /1000 values/)
    await refuses('"'.repeat(large), 'malformed_body', /1000 values/)
  })

  test('refuses a data URI that is none', async () => {
    const rest = 'A'.repeat(MIB)
    await refuses(`{"a":"data:a,${'\\"'.repeat(MIB)}"}`, 'malformed_body', /full of backslashes/)
    await refuses(`{"a":"data:a,${rest}${'\\'.repeat(MIB)}"}`, 'malformed_body', /full of backslashes/)
    await refuses(`{"a":"data:a,${rest}`, 'malformed_body', /not valid JSON/)
    await refuses(`{"a":"data:a,${rest}\n"}`, 'malformed_body', /not valid JSON/)
    await refuses(`{"a":"data:a,${rest}\\x"}`, 'malformed_body', /not valid JSON/)
    await refuses(`{"data:a,${rest}":1}`, 'malformed_body', /key of more than 100/)
    await refuses(`{"a":"data:a,${rest}\\u0000"}`, 'invalid_field', /a cannot be/)
    const wrong = Buffer.concat([Buffer.from(`{"a":"data:a,${rest}`), Buffer.from([0xff]), Buffer.from('"}')])
    await refuses(wrong, 'malformed_body', /not UTF-8/)
  })
})
