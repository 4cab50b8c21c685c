import { Command } from 'commander'
import type { Billing } from '../canonical/model.ts'
import { loadCatalog } from '../catalog/load.ts'
import { modelsOf } from '../catalog/resolve.ts'
import { allowedValues } from '../catalog/validate.ts'
import { type OutputOptions, print } from './output.ts'

/** `reelay models` */
export function modelsCommand(): Command {
  return new Command('models')
    .description('what the catalog offers, by dialect')
    .option('--json', 'print JSON')
    .action((options: OutputOptions) => {
      const catalog = loadCatalog()
      const models = [...catalog.keys()].flatMap((dialect) => modelsOf(catalog, dialect))
      const lines = models.flatMap((model) => [
        `${model.dialect}  ${model.id}  ${priceOf(model.billing)}`,
        ...model.parameters.map(
          (each) => `    ${each.key}: ${allowedValues(each)}; default ${each.default ?? 'chosen for you'}`,
        ),
      ])
      print(options, { models }, lines)
    })
}

function priceOf(billing: Billing): string {
  if (billing.type === 'FIXED') return `${billing.credits} credits`
  const prices = Object.entries(billing.creditsPerSecond).map(([resolution, credits]) => `${credits} at ${resolution}`)
  return `credits a second: ${prices.join(', ')}`
}
