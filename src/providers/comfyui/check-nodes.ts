import { isJsonObject, type JsonObject } from '../../canonical/json.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { classOf } from './node-errors.ts'

/** Nodes that a sentence names. */
const SHOWN_NODES = 5

/**
 * Compares a graph with the nodes that a server has, as `GET /object_info` lists them.
 * @throws Error that names the nodes which the server lacks, or says that none of the graph's gives output.
 */
export function checkNodes(graph: JsonObject, { status, json, shown }: UpstreamAnswer): void {
  if (status !== 200 || !isJsonObject(json)) throw new Error(`Asked for its nodes, it answers ${status}: ${shown}`)
  // No server has none: this one does not tell.
  if (Object.keys(json).length === 0) return
  const missing = Object.entries(graph).filter(([, node]) => json[classOf(node)] === undefined)
  if (missing.length > 0) {
    const named = missing
      .slice(0, SHOWN_NODES)
      .map(([id, node]) => `${classOf(node) || 'without a class'} (node ${id})`)
    throw new Error(
      `It lacks nodes of the workflow: ${named.join(', ')}. Install what has them, or change the workflow.`,
    )
  }
  const hasOutput = Object.values(graph).some((node) => {
    const info = json[classOf(node)]
    return isJsonObject(info) && info['output_node'] !== false
  })
  if (!hasOutput) throw new Error('No node of the workflow saves anything: none of them is an output node there.')
}
