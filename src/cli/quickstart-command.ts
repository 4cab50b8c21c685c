import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import process from 'node:process'
import { Command } from 'commander'
import type pg from 'pg'
import { z } from 'zod'
import { FIRST_ACCOUNT } from '../accounts/bootstrap.ts'
import { createAccount } from '../accounts/create-account.ts'
import { hashSecret } from '../accounts/key-secret.ts'
import { selectKeyHolder } from '../accounts/queries.ts'
import { readConfig } from '../config/read-config.ts'
import { createLogger } from '../observe/logger.ts'
import { ApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import { followGeneration } from './follow-generation.ts'
import { untilStopped } from './serve-command.ts'

/** The vendor's own minimal request. */
const MINIMAL_REQUEST = {
  model: 'grok-imagine-video',
  prompt: 'A cinematic product reveal with smooth camera movement',
  params: { mode: 'normal', duration: 6, resolution: '480p', aspect_ratio: '2:3' },
}

/** Pretend money for trying things out: 1,000 generations. */
const QUICKSTART_CREDITS = 10_000n

/** Where the first video is written. */
const OUT_DIRECTORY = 'out'

const savedKeys = z.object({ key: z.string(), test_key: z.string() })

/** `reelay quickstart`: from nothing to a video, over HTTP, and then a server to play with. */
export function quickstartCommand(): Command {
  return new Command('quickstart')
    .description('start the platform, make a first account, and make a first video')
    .argument('[prompt]', 'what to show', MINIMAL_REQUEST.prompt)
    .option('--exit', 'leave when the video is there')
    .action(async (prompt: string, options: { exit?: boolean }) => {
      const config = readConfig({ REELAY_LOG_LEVEL: 'warn', ...process.env })
      const log = createLogger(config.logLevel)
      await makeWritable(OUT_DIRECTORY)
      say('Starting Reelay (database, store, renderer, API and worker in this process) …')
      const { startPlatform } = await import('./start-platform.ts')
      const platform = await startPlatform(config, log)
      const stopped = options.exit === true ? undefined : untilStopped(platform, log)
      try {
        const { url } = platform
        if (url === undefined)
          throw new CommandError('quickstart needs an API: set REELAY_ROLE to all, or leave it unset.')
        const keys = config.bootstrap ?? (await firstKeys(platform.pool, config.dataDirectory))
        const path = await firstVideo({ url, key: keys.key, prompt })
        for (const line of farewell({ url, key: keys.key, path })) say(line)
      } catch (error) {
        if (stopped !== undefined) await platform[Symbol.asyncDispose]()
        throw error
      } finally {
        if (options.exit === true) await platform[Symbol.asyncDispose]()
      }
      if (stopped !== undefined) say('\nServing until you press Ctrl-C.')
      await stopped
    })
}

/**
 * The first account's keys. A key cannot be read back from the database, so they are kept beside it, readable by this
 * user alone, for the next quickstart on the same data.
 */
async function firstKeys(pool: pg.Pool, dataDirectory: string): Promise<z.infer<typeof savedKeys>> {
  const file = join(dataDirectory, 'quickstart-keys.json')
  const saved = savedKeys.safeParse(JSON.parse(await readFile(file, 'utf8').catch(() => 'null')))
  if (saved.success && (await selectKeyHolder(pool, hashSecret(saved.data.key))) !== undefined) return saved.data
  const made = await createAccount(pool, { ...FIRST_ACCOUNT, credits: QUICKSTART_CREDITS })
  const keys = { key: made.liveKey, test_key: made.testKey }
  await writeFile(file, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600 })
  return keys
}

/** Sends the request as any customer would, waits for the video, and saves it. */
async function firstVideo({ url, key, prompt }: { url: string; key: string; prompt: string }): Promise<string> {
  const client = new ApiClient({ url, key })
  const created = await client.create({ ...MINIMAL_REQUEST, prompt })
  say(`POST ${url}/api/v1/generations → ${created.id}, ${created.reserved_credits} credits reserved`)
  const ended = await followGeneration(client, created.id, { signal: new AbortController().signal })
  if (ended.result === null) throw new CommandError(`The video failed: ${ended.error?.message ?? ended.status}`)
  const path = join(OUT_DIRECTORY, `${ended.id}.mp4`)
  await client.download(ended.result.primary_url, path)
  return path
}

function farewell({ url, key, path }: { url: string; key: string; path: string }): string[] {
  const body = JSON.stringify(MINIMAL_REQUEST)
  return [
    '',
    `  video    ./${relative('.', path)}`,
    `  key      ${key}`,
    `  address  ${url}`,
    '',
    'Make another one:',
    '',
    `  curl -s ${url}/api/v1/generations \\`,
    `    -H 'Authorization: Bearer ${key}' \\`,
    `    -H 'Content-Type: application/json' \\`,
    `    -d '${body}'`,
    '',
    'and read it with the id of the answer:',
    '',
    `  curl -s ${url}/api/v1/generations/<id> -H 'Authorization: Bearer ${key}'`,
  ]
}

/** Before anything is started or rendered: a video that cannot be written is of no use. */
async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
  } catch (cause) {
    throw new CommandError(`./${directory} must be a directory that can be written to; the video goes there.`, {
      cause,
    })
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
