import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleReference, sampleRequest } from '../../../test/support/sample-request.ts'
import type { Workflow } from '../upstream/adapter-settings.ts'
import { checkWorkflow, fillGraph } from './fill-graph.ts'
import graph from './fixtures/workflow.json' with { type: 'json' }
import graphWithPicture from './fixtures/workflow-with-picture.json' with { type: 'json' }

const inputs = { prompt: '6.text', width: '55.width', height: '55.height', frames: '55.length', seed: '3.seed' }
const workflow: Workflow = { graph, inputs, framesPerSecond: 24 }
const frame = { width: 864, height: 480 }

test('frames come in the numbers that video models make', () => {
  for (const framesPerSecond of [8, 12, 15, 16, 24, 25, 30]) {
    for (let durationSeconds = 1; durationSeconds <= 30; durationSeconds += 1) {
      const request = sampleRequest({ durationSeconds })
      const filled = fillGraph({ ...workflow, framesPerSecond }, request, { image: undefined, frame })
      const length = Number(/"length":(\d+)/.exec(JSON.stringify(filled))?.[1])
      assert.equal(length % 4, 1)
      assert.ok(Math.abs((length - 1) / framesPerSecond - durationSeconds) < 2.01 / framesPerSecond)
    }
  }
})

test('the named inputs take the request, and nothing else changes', () => {
  const filled = fillGraph(workflow, sampleRequest({ durationSeconds: 5, aspectRatio: '16:9' }), {
    image: undefined,
    frame,
  })
  const expected = structuredClone(graph)
  expected['6'].inputs.text = sampleRequest().prompt
  Object.assign(expected['55'].inputs, { ...frame, length: 121 })
  expected['3'].inputs.seed = 1_234_567
  assert.deepEqual(filled, expected)
  assert.equal(graph['6'].inputs.text, 'placeholder')
})

test('a picture goes in by the name that it was uploaded under, and gives its shape', () => {
  const request = sampleRequest({ aspectRatio: 'source', references: [sampleReference('firstFrame', 'image')] })
  const withPicture = { ...workflow, graph: graphWithPicture, inputs: { ...inputs, image: '56.image' } }
  const filled = fillGraph(withPicture, request, { image: 'reelay-1.png', frame })
  assert.deepEqual(filled['56'], { class_type: 'LoadImage', inputs: { image: 'reelay-1.png' } })
  assert.match(JSON.stringify(filled['55']), /"width":864,"height":480/)
})

test('an input whose name has points of its own is found', () => {
  const autogrown: Workflow = {
    ...workflow,
    graph: { ...graph, '90': { class_type: 'TextBatch', inputs: { 'texts.text_0': '' } } },
    inputs: { ...inputs, prompt: '90.texts.text_0' },
  }
  checkWorkflow(autogrown, 'gpu')
  const filled = fillGraph(autogrown, sampleRequest({ prompt: 'a kite' }), { image: undefined, frame })
  assert.deepEqual(filled['90'], { class_type: 'TextBatch', inputs: { 'texts.text_0': 'a kite' } })
})

test('a workflow that cannot take what is asked for is refused when it is configured', () => {
  checkWorkflow(workflow, 'gpu')
  const { frames: _, ...withoutFrames } = inputs
  const wrongs: readonly (readonly [Workflow, RegExp])[] = [
    [{ ...workflow, inputs: withoutFrames }, /does not name its frames/],
    [{ ...workflow, inputs: { ...inputs, seed: '3.noise_seed' } }, /inputs\.seed is "3\.noise_seed"/],
    [{ ...workflow, inputs: { ...inputs, prompt: '600.text' } }, /"600\.text"/],
    [{ ...workflow, inputs: { ...inputs, prompt: 'text' } }, /"text"/],
    [{ ...workflow, graph: [] }, /the graph does not have/],
    // What the editor saves by default: not what the API takes.
    [{ ...workflow, graph: { nodes: [], links: [] } }, /export it with "Export \(API\)"/],
  ]
  for (const [wrong, message] of wrongs) assert.throws(() => checkWorkflow(wrong, 'gpu'), message)
})
