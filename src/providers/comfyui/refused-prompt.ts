import type { StartOutcome } from '../provider.ts'
import type { Workflow } from '../upstream/adapter-settings.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { causeOf, describeNodeErrors } from './node-errors.ts'
import { refusal } from './wire.ts'

/** Types of refusals that are of the graph, whatever is asked of it: no graph at all, no output, a node that is not there. */
const OF_THE_GRAPH: readonly string[] = ['no_prompt', 'invalid_prompt', 'prompt_no_outputs', 'missing_node_type']

/** Each output failed its checks; what failed stands with the nodes. */
const OF_THE_NODES = 'prompt_outputs_failed_validation'

/** What a prompt means that was answered with anything but success. */
export function refusedPrompt(answer: UpstreamAnswer, workflow: Workflow): StartOutcome {
  const told = answer.status === 400 ? refusal.safeParse(answer.json).data : undefined
  const cause = `HTTP ${answer.status}: ${answer.shown}`
  const type = told?.error.type
  if (type !== undefined && OF_THE_GRAPH.includes(type)) return rejected('configuration', cause)
  const errors = told?.node_errors ?? {}
  if (type !== OF_THE_NODES || Object.keys(errors).length === 0) return refusedStart(answer)
  return rejected(causeOf(errors, workflow), `${cause}; ${describeNodeErrors(errors)}`)
}
