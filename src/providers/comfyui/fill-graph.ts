import type { GenerationRequest } from '../../canonical/generation.ts'
import { isJsonObject, type Json, type JsonObject } from '../../canonical/json.ts'
import type { Workflow } from '../upstream/adapter-settings.ts'
import type { FrameSize } from '../upstream/frame-grid.ts'

type InputName = keyof Workflow['inputs']

/** Without these a graph would make something else than what was asked for, and be paid for it. */
const NEEDED: readonly InputName[] = ['prompt', 'width', 'height', 'frames']

/**
 * Whether the graph is one, in API format, and has every input that the configuration names.
 * @throws Error that tells the operator what is missing.
 */
export function checkWorkflow({ graph, inputs }: Workflow, name: string): void {
  if (isJsonObject(graph) && Array.isArray(graph['nodes']) && Array.isArray(graph['links'])) {
    throw new Error(
      `providers.${name}.workflow.file is a workflow as ComfyUI's editor saves it; export it with "Export (API)" and name that file.`,
    )
  }
  for (const needed of NEEDED) {
    if (inputs[needed] === undefined) throw new Error(`providers.${name}.workflow.inputs does not name its ${needed}.`)
  }
  for (const [input, place] of Object.entries(inputs)) {
    const [node, key] = splitPlace(place)
    if (inputsOf(graph, node)?.[key] === undefined) {
      throw new Error(`providers.${name}.workflow.inputs.${input} is "${place}", which the graph does not have.`)
    }
  }
}

export interface Filling {
  /** The picture as ComfyUI calls it since it was uploaded. */
  readonly image: string | undefined
  /** In pixels, as the graph's model takes it. */
  readonly frame: FrameSize
}

/** The graph for one request. */
export function fillGraph(workflow: Workflow, request: GenerationRequest, { image, frame }: Filling): JsonObject {
  const values: Readonly<Record<InputName, Json | undefined>> = {
    prompt: request.prompt,
    ...frame,
    frames: framesOf(request, workflow),
    seed: request.seed,
    image,
  }
  const graph = graphOf(workflow)
  for (const [input, place] of Object.entries(workflow.inputs)) {
    const value = Object.entries(values).find(([name]) => name === input)?.[1]
    if (value === undefined) continue
    const [node, key] = splitPlace(place)
    const target = inputsOf(graph, node)
    if (target === undefined) throw new Error(`the graph has no node ${node}`)
    target[key] = value
  }
  return graph
}

/** A copy of the operator's graph. */
export function graphOf({ graph }: Workflow): JsonObject {
  if (!isJsonObject(graph)) throw new Error('the graph is no object')
  return structuredClone(graph)
}

/** Frames in one step of time of a video model: it makes 4n + 1, and rounds down to that whatever else it is asked for. */
const FRAMES_A_STEP = 4

/** From the first picture to the last: one more than the steps between. */
function framesOf({ durationSeconds }: GenerationRequest, { framesPerSecond }: Workflow): number {
  return FRAMES_A_STEP * Math.round((durationSeconds * framesPerSecond) / FRAMES_A_STEP) + 1
}

/** `<node id>.<input>`; an input's name may have points of its own, a node's id has none. */
function splitPlace(place: string): readonly [node: string, key: string] {
  const point = place.indexOf('.')
  return [place.slice(0, Math.max(0, point)), place.slice(point + 1)]
}

function inputsOf(graph: Json, node: string): JsonObject | undefined {
  const found = isJsonObject(graph) ? graph[node] : undefined
  const inputs = isJsonObject(found) ? found['inputs'] : undefined
  return isJsonObject(inputs) ? inputs : undefined
}
