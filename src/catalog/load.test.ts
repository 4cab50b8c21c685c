import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadCatalog } from './load.ts'

const GROK = JSON.parse(readFileSync(new URL('./models/rivya/grok-imagine-video.json', import.meta.url), 'utf8'))
const PER_SECOND = { type: 'PER_SECOND', creditsPerSecond: { '480p': 2, '720p': 4 } }

describe('a catalog’s files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-catalog-'))
  after(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'rivya'))

  function load(model: unknown): ReturnType<typeof loadCatalog> {
    writeFileSync(join(directory, 'rivya', 'model.json'), JSON.stringify(model))
    return loadCatalog(pathToFileURL(`${directory}/`))
  }

  /** Grok with some members of one parameter changed. */
  function withParameter(key: string, change: object): unknown {
    const parameters = GROK.parameters.map((each: { key: string }) =>
      each.key === key ? { ...each, ...change } : each,
    )
    return { ...GROK, parameters }
  }

  test('are read by dialect and id', () => {
    const catalog = load({ ...GROK, id: 'another', billing: PER_SECOND })
    assert.deepEqual([...catalog.keys()], ['rivya'])
    assert.equal(catalog.get('rivya')?.get('another')?.dialect, 'rivya')
  })

  const broken: readonly (readonly [name: string, model: unknown, says: RegExp])[] = [
    ['an unknown key', { ...GROK, prize: 10 }, /prize/],
    ['a price with a fraction', { ...GROK, billing: { type: 'FIXED', credits: 0.5 } }, /credits/],
    ['a description without English', withParameter('mode', { description: { fr: 'Mode' } }), /English/],
    ['a default that is no option', withParameter('mode', { default: 'calm' }), /"mode":"calm"/],
    ['a default outside the range', withParameter('duration', { default: 5 }), /"duration":5/],
    ['a default off the step', withParameter('duration', { default: 7, step: 5 }), /"duration":7/],
    ['a largest value that no step reaches', withParameter('duration', { step: 5 }), /"duration":30/],
    ['a duration in fractions of a second', withParameter('duration', { step: 0.5 }), /"duration":6\.5/],
    [
      'a resolution that nobody can make',
      withParameter('resolution', { options: ['480p', '8K'] }),
      /"resolution":"8K"/,
    ],
    [
      'a resolution without a price',
      { ...GROK, billing: { type: 'PER_SECOND', creditsPerSecond: { '480p': 2 } } },
      /no price for 720p/,
    ],
    [
      'no duration at all',
      { ...GROK, parameters: GROK.parameters.filter(({ key }: { key: string }) => key !== 'duration') },
      /the length or resolution/,
    ],
  ]
  for (const [name, model, says] of broken) {
    test(`refuses ${name}, and names the file and the value`, () => {
      assert.throws(() => load(model), says)
      assert.throws(() => load(model), /rivya\/model\.json/)
    })
  }
})
