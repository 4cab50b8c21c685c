import { describe } from 'node:test'
import { describeOperator } from './provider-kit/describe-operator.ts'
import { describePolls } from './provider-kit/describe-polls.ts'
import { describeResults } from './provider-kit/describe-results.ts'
import { describeStarts } from './provider-kit/describe-starts.ts'
import type { ProviderCase } from './provider-kit/provider-case.ts'

export type { ProviderCase } from './provider-kit/provider-case.ts'

/** The behaviour that every adapter of an upstream API owes. */
export function describeProvider(adapter: ProviderCase): void {
  describe(`${adapter.name} as a provider`, () => {
    describeStarts(adapter)
    describePolls(adapter)
    describeResults(adapter)
    describeOperator(adapter)
  })
}
