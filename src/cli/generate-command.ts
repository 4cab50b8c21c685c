import process from 'node:process'
import { Command } from 'commander'
import { ApiClient } from './api-client.ts'
import { checkOutput } from './check-output.ts'
import { CommandError } from './command-error.ts'
import { followGeneration } from './follow-generation.ts'
import { print } from './output.ts'
import { readWholeNumber } from './read-argument.ts'

/** `reelay generate "<prompt>"`: values go to the server as they are, which says what it allows. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('make a video through a running server; Ctrl-C cancels it')
    .argument('<prompt>')
    .option('--model <model>', 'the model', 'grok-imagine-video')
    .option('--duration <seconds>', 'whole seconds', readWholeNumber('duration', { min: 0, max: 1_000_000 }))
    .option('--resolution <resolution>', 'e.g. 480p, 720p')
    .option('--ratio <ratio>', 'e.g. 16:9')
    .option('--mode <mode>', 'fun, normal or spicy')
    .option('-o, --output <file>', 'default: <id>.mp4')
    .option('--url <url>', 'the server (REELAY_URL, else http://127.0.0.1:8787)')
    .option('--key <key>', 'the API key (REELAY_API_KEY)')
    .option('--json', 'print JSON')
    .action(async (prompt: string, options) => {
      const client = ApiClient.fromOptions(options)
      // Before the create: what cannot be written is not to be paid for.
      await checkOutput(options.output ?? '.', options.output === undefined ? 'directory' : 'file')
      const { duration, resolution, ratio: aspect_ratio, mode } = options
      // Before the create: an interrupt while its answer is under way must cancel the task, too.
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const created = await client.create({
        model: options.model,
        prompt,
        params: JSON.parse(JSON.stringify({ duration, resolution, aspect_ratio, mode })),
      })
      const ended = await followGeneration(client, created.id, { signal: interrupted.signal })
      if (ended.result === null) {
        throw new CommandError(
          `${ended.id} is ${ended.status}${ended.error === null ? '' : `: ${ended.error.message}`}`,
        )
      }
      const path = options.output ?? `${ended.id}.mp4`
      await client.download(ended.result.primary_url, path)
      const { queuePosition, progress, ...generation } = ended
      print(options, { ...generation, path }, [`${path}  (${ended.final_credits} credits)`])
    })
}
