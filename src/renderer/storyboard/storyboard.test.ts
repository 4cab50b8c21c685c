import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerationRequest } from '../../canonical/generation.ts'
import { storyboard } from './storyboard.ts'

function plan(prompt: string, change: Partial<GenerationRequest> = {}) {
  return storyboard({
    model: 'grok-imagine-video',
    operation: 'generate',
    prompt,
    durationSeconds: 6,
    resolution: '480p',
    aspectRatio: '2:3',
    mode: 'normal',
    seed: 1,
    references: [],
    ...change,
  })
}

const SCENE_PROMPTS: readonly (readonly [prompt: string, scene: string])[] = [
  ['A cinematic product reveal with smooth camera movement', 'studio'],
  ['A kitten chasing a butterfly in a sunlit garden', 'meadow'],
  ['Watch the waves break on a lonely beach', 'sea'],
  ['snow-capped mountains above the clouds', 'mountains'],
  ['Neon-lit skyscrapers, cyberpunk', 'city'],
  ['un renard dans la forêt', 'forest'],
  ['Les vagues de la mer au coucher du soleil', 'sea'],
  ['des dunes de sable sous le vent', 'desert'],
  ['Ночной город, небоскрёбы в огнях', 'city'],
  ['высоко в горах', 'mountains'],
  ['звёзды и галактики', 'space'],
  ['бабочки в саду', 'meadow'],
  ['पहाड़ों के ऊपर सूर्योदय', 'mountains'],
  ['समुद्र की लहरें', 'sea'],
  ['बारिश में एक सड़क', 'rain'],
  ['अंतरिक्ष में एक रॉकेट', 'space'],
  ['pegunungan berkabut di pagi hari', 'mountains'],
  ['hujan deras di jendela', 'rain'],
  ['kupu-kupu di taman', 'meadow'],
  ['gurun pasir yang luas', 'desert'],
]

for (const [prompt, scene] of SCENE_PROMPTS) {
  test(`sees ${scene} in "${prompt}"`, () => assert.equal(plan(prompt).scene, scene))
}

test('reads the light in five languages', () => {
  for (const prompt of ['city at night', 'ville la nuit', 'город ночью', 'रात में शहर', 'kota di malam hari']) {
    assert.equal(plan(prompt).time, 'night', prompt)
  }
  for (const prompt of [
    'sea at sunset',
    'mer au coucher du soleil',
    'море на закате',
    'सूर्यास्त में समुद्र',
    'laut saat senja',
  ]) {
    assert.equal(plan(prompt).time, 'sunset', prompt)
  }
})

test('obeys camera words in five languages', () => {
  for (const prompt of ['zoom in slowly', 'zoom avant', 'камера приближается', 'ज़ूम इन', 'kamera mendekat']) {
    assert.equal(plan(prompt).camera, 'zoomIn', prompt)
  }
  for (const prompt of [
    'pan left',
    'panoramique vers la gauche',
    'камера движется влево',
    'बाएं पैन करें',
    'geser ke kiri',
  ]) {
    assert.equal(plan(prompt).camera, 'panLeft', prompt)
  }
  assert.equal(plan('zoom out from the sea').camera, 'zoomOut')
  assert.equal(plan('orbit around it').camera, 'orbit')
  assert.equal(plan('a static shot of a lake').camera, 'static')
  assert.equal(plan('a lake').camera, 'drift')
})

test('does not see a word inside another', () => {
  for (const seed of [1, 2, 3]) {
    assert.notEqual(
      plan('seasonal trends', { seed }).scene === 'sea' && plan('seasoned', { seed }).scene === 'sea',
      true,
    )
  }
  // "город" (city) begins with the letters of "гор" (mountains).
  assert.equal(plan('город').scene, 'city')
})

test('shows rain and snow on the place that is named, and as scenes of their own where none is', () => {
  assert.deepEqual([plan('snow in the forest').scene, plan('snow in the forest').weather], ['forest', 'snow'])
  assert.deepEqual([plan('rain over the sea').scene, plan('rain over the sea').weather], ['sea', 'rain'])
  assert.equal(plan('rainy city street').scene, 'rain')
  assert.equal(plan('first snow').scene, 'snow')
})

test('tints the palette by colour words', () => {
  const [red, green, blue] = plan('a green mountain').palette.accent
  assert.ok(green > red && green > blue, `accent ${red} ${green} ${blue} is not green`)
})

test('gives two prompts that it does not understand different pictures', () => {
  const [one, other] = [plan('xyzzy'), plan('plugh')]
  assert.notEqual(one.seed, other.seed)
  assert.notDeepEqual({ ...one, seed: 0, caption: '' }, { ...other, seed: 0, caption: '' })
  const scenes = new Set(['qwe', 'asd', 'zxc', 'rty', 'fgh', 'vbn', 'uio', 'jkl'].map((prompt) => plan(prompt).scene))
  assert.ok(scenes.size >= 3, `eight unknown prompts show only ${[...scenes].join(', ')}`)
})

test('plans equal requests equally and another seed otherwise', () => {
  assert.deepEqual(plan('mountains'), plan('mountains'))
  assert.notDeepEqual(plan('mountains').palette, plan('mountains', { seed: 2 }).palette)
})

test('lets the mode change energy and grade, never the subject', () => {
  const [fun, normal, spicy] = [plan('sea', { mode: 'fun' }), plan('sea'), plan('sea', { mode: 'spicy' })]
  assert.ok(fun.energy > normal.energy && fun.grade.saturation > normal.grade.saturation)
  assert.ok(spicy.grade.contrast > normal.grade.contrast && spicy.grade.warmth > normal.grade.warmth)
  assert.deepEqual([fun.scene, spicy.scene], ['sea', 'sea'])
})

test('names every clip an animatic, in Latin letters, and never quotes the prompt', () => {
  const { caption } = plan('पहाड़ों के ऊपर सूर्योदय')
  assert.match(caption, /^animatic · [a-z ]+$/u)
})
