import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerationRequest } from '../../canonical/generation.ts'
import { UNGRADED } from './colour-grade.ts'
import { chooseLook, namedLook } from './look.ts'
import { titleOf } from './title.ts'

function edit(prompt: string): GenerationRequest {
  return {
    ...{ model: 'grok-imagine-video', operation: 'edit', prompt, durationSeconds: 4, resolution: '480p' },
    ...{ aspectRatio: 'source', mode: 'normal', seed: 1, references: [] },
  } as const
}

test('understands what is asked for in five languages', () => {
  for (const prompt of ['black and white', 'en noir et blanc', 'чёрно-белое кино', 'ब्लैक एंड व्हाइट', 'hitam putih']) {
    assert.equal(namedLook(edit(prompt)).grade.saturation, 0, prompt)
  }
  for (const prompt of ['add rain', 'il pleut, pluie', 'добавь дождь', 'बारिश', 'tambahkan hujan']) {
    assert.equal(namedLook(edit(prompt)).weather, 'rain', prompt)
  }
  for (const prompt of ['slow motion', 'au ralenti', 'замедленно', 'धीमा', 'gerak lambat']) {
    assert.equal(namedLook(edit(prompt)).pace, 'slow', prompt)
  }
})

test('joins everything that a prompt names', () => {
  const look = namedLook(edit('A warm vintage night in the snow, zoom in, with a vignette, titled "Home"'))
  assert.deepEqual([look.weather, look.camera, look.title, look.vignette], ['snow', 'zoomIn', 'Home', 1])
  assert.ok(look.grain > 0 && look.grade.exposure < 0 && look.grade.saturation < 0.5)
})

test('has no colour where the prompt wants none, whatever the light', () => {
  const { grade, weather } = namedLook(edit('A rainy night in black and white'))
  assert.deepEqual([grade.saturation, grade.shadows, grade.highlights, weather], [0, [0, 0], [0, 0], 'rain'])
  assert.ok(grade.exposure < -1)
})

test('changes something for any prompt, and the same for the same prompt', () => {
  for (const prompt of ['replace the dog with a cat', 'лошадь', 'xyzzy', 'static shot']) {
    const look = chooseLook(edit(prompt))
    assert.notDeepEqual(look.grade, UNGRADED, prompt)
    assert.deepEqual(chooseLook(edit(prompt)), look)
  }
})

test('leaves a video that goes on as it is when the prompt names no change', () => {
  assert.deepEqual(namedLook(edit('she walks on and smiles')).grade, UNGRADED)
})

test('finds the words that are to stand in the picture', () => {
  assert.equal(titleOf('Add the title “Happy Birthday, Zoë!” at the end'), 'Happy Birthday, Zoë!')
  assert.equal(titleOf('сделай надпись: С Новым годом, и снег'), 'С Новым годом')
  assert.equal(titleOf("don't change the dog's colour"), undefined)
  // No installed font has these letters: boxes would be worse than nothing.
  assert.equal(titleOf('शीर्षक "नमस्ते" जोड़ें'), undefined)
})
