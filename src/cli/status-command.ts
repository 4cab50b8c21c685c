import { Command } from 'commander'
import { selectInstallation } from '../db/installation.ts'
import { countOpenTasks } from '../worker/queries.ts'
import { ApiClient } from './api-client.ts'
import { type OutputOptions, print, table } from './output.ts'
import { parkedLines, unconfiguredLines } from './parked-lines.ts'
import { readOpenWork } from './recognize-installation.ts'
import { withDatabase } from './with-database.ts'

/** `reelay status <id>` */
export function statusCommand(): Command {
  return new Command('status')
    .description('how a generation stands; without an id, how this installation stands, beside its server')
    .argument('[id]', 'task_…')
    .option('--url <url>', 'the server (REELAY_URL, else http://127.0.0.1:8787)')
    .option('--key <key>', 'the API key (REELAY_API_KEY)')
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, options) => {
      if (id === undefined) return await printInstallation(options)
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

/** For the operator: read from the database itself, whether or not a server runs. */
async function printInstallation(options: OutputOptions): Promise<void> {
  const { installation, openTasks, restored, unconfigured } = await withDatabase(async ({ pool }) => ({
    installation: await selectInstallation(pool),
    openTasks: await countOpenTasks(pool),
    ...(await readOpenWork(pool)),
  }))
  const { id, epoch } = installation ?? { id: undefined, epoch: undefined }
  print(
    options,
    {
      installation: id ?? null,
      epoch: epoch ?? null,
      open_tasks: openTasks,
      parked: restored,
      unconfigured_providers: Object.fromEntries(unconfigured),
    },
    [
      id === undefined ? 'No server has run on this database yet.' : `installation ${id}, epoch ${epoch}`,
      ...table(
        ['PROVIDER', 'STATE', 'TASKS'],
        openTasks.map(({ provider, state, tasks }) => [provider, state, String(tasks)]),
      ),
      ...parkedLines(restored),
      ...unconfiguredLines(unconfigured),
    ],
  )
}
