/**
 * What ComfyUI finds wrong in a graph before it runs it, node by node. It refuses a prompt only when no output is left: a
 * prompt of which one output fails its checks is answered 200, and runs without that output.
 */
import { isJsonObject, type Json, type JsonObject } from '../../canonical/json.ts'
import type { RejectionCause } from '../provider.ts'
import type { Workflow } from '../upstream/adapter-settings.ts'
import type { NodeErrors } from './wire.ts'

/** Nodes that are told of to the operator: the first one is mostly the cause of the others. */
const SHOWN_NODES = 3

/** Of a node's class where that saves or joins what players play. */
const VIDEO_CLASS = /video|webm|mp4/i

/** Output nodes of ComfyUI itself that save or show something else. */
const OTHER_OUTPUT_CLASS = /^(Preview|Save(Image|Animated|Audio|Latent|SVG|GLB|LoRA)|MaskPreview)/i

/**
 * Whether a graph still saves a video when these nodes are left out. Which nodes give output only the server knows; here
 * it is those that no other node takes something from. Those whose class names a video decide; where there is none, every
 * one that may save a video.
 */
export function savesVideo(graph: JsonObject, errors: NodeErrors): boolean {
  const leftOut = new Set(
    Object.entries(errors).flatMap(([node, { dependent_outputs }]) => [node, ...dependent_outputs]),
  )
  if (leftOut.size === 0) return true
  const ends = endsOf(graph)
  const videos = ends.filter(([, nodeClass]) => VIDEO_CLASS.test(nodeClass))
  const candidates = videos.length > 0 ? videos : ends.filter(([, nodeClass]) => !OTHER_OUTPUT_CLASS.test(nodeClass))
  return candidates.some(([node]) => !leftOut.has(node))
}

/** The nodes from which no other takes anything, each with its class. */
function endsOf(graph: JsonObject): (readonly [node: string, nodeClass: string])[] {
  const taken = new Set(Object.values(graph).flatMap(sourcesOf))
  return Object.entries(graph)
    .filter(([node]) => !taken.has(node))
    .map(([node, content]) => [node, classOf(content)] as const)
}

/** An input that is another node's output is a list of that node's id and a number. */
function sourcesOf(node: Json): string[] {
  const inputs = isJsonObject(node) && isJsonObject(node['inputs']) ? Object.values(node['inputs']) : []
  return inputs.flatMap((input) => (Array.isArray(input) && typeof input[0] === 'string' ? [input[0]] : []))
}

export function classOf(node: Json | undefined): string {
  const nodeClass = isJsonObject(node) ? node['class_type'] : undefined
  return typeof nodeClass === 'string' ? nodeClass : ''
}

/**
 * Whose affair the errors are: of the request where every value that is refused is one that a request fills in (a size, a
 * number of frames), and else of the graph, which then makes nothing of any request.
 */
export function causeOf(errors: NodeErrors, { inputs }: Pick<Workflow, 'inputs'>): RejectionCause {
  const filled = new Set(Object.values(inputs))
  const refused = Object.entries(errors).flatMap(([node, { errors: each }]) =>
    each.map(({ extra_info: about }) => `${node}.${about?.input_name ?? ''}`),
  )
  return refused.length > 0 && refused.every((place) => filled.has(place)) ? 'request' : 'configuration'
}

/** For the operator. */
export function describeNodeErrors(errors: NodeErrors): string {
  const nodes = Object.entries(errors).map(([node, { class_type: nodeClass, errors: each }]) => {
    const told = each.map(({ message, details, type }) => `${message ?? type ?? 'refused'} (${details ?? ''})`)
    return `node ${node} (${nodeClass ?? 'unknown'}): ${told.join('; ')}`
  })
  return nodes.slice(0, SHOWN_NODES).join(', ')
}
