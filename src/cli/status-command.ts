import { Command } from 'commander'
import { ApiClient } from './api-client.ts'
import { print } from './output.ts'

/** `reelay status <id>` */
export function statusCommand(): Command {
  return new Command('status')
    .description('how a generation stands')
    .argument('<id>', 'task_…')
    .option('--url <url>', 'the server (REELAY_URL, else http://127.0.0.1:8787)')
    .option('--key <key>', 'the API key (REELAY_API_KEY)')
    .option('--json', 'print JSON')
    .action(async (id: string, options) => {
      const { queuePosition, progress, ...generation } = await ApiClient.fromOptions(options).get(id)
      const value = { ...generation, progress: progress ?? null, queue_position: queuePosition ?? null }
      const place = queuePosition === undefined ? [] : [`in the queue: ${queuePosition} before it`]
      print(options, value, [
        `${generation.id}: ${generation.status}, ${progress ?? 0} %`,
        ...place,
        `credits: ${generation.reserved_credits} reserved, ${generation.final_credits} charged`,
        ...(generation.result === null ? [] : [generation.result.primary_url]),
        ...(generation.error === null ? [] : [`${generation.error.code}: ${generation.error.message}`]),
      ])
    })
}
