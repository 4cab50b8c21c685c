/** The secrets in the environment of a server are in that of no process that it starts. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { picture } from '../acceptance/reference-files.ts'
import { waitFor } from '../support/patience.ts'
import { request } from '../support/server.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/reelay.js', import.meta.url))
const KEY = `rly_live_${'s3cr3t'.repeat(6)}`
const SECRETS = {
  REELAY_BOOTSTRAP_KEY: KEY,
  REELAY_METRICS_TOKEN: 'secret-of-the-metrics',
  AWS_SECRET_ACCESS_KEY: 'secret-of-the-bucket',
  XAI_API_KEY: 'secret-of-the-provider',
}

const linux = { skip: process.platform === 'linux' ? false : '/proc is of Linux' }

/** All processes below one, with their command lines and environments. */
async function descendants(pid: number): Promise<{ command: string; environment: string }[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined) : undefined
    const parent = /\) \S (\d+) /.exec(stat ?? '')?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child)
    return parent !== undefined && (parent === pid || isBelow(parent))
  }
  const found = []
  for (const child of [...parents.keys()].filter(isBelow)) {
    const read = (name: string) => readFile(`/proc/${child}/${name}`, 'utf8').catch(() => '')
    found.push({ command: (await read('cmdline')).replaceAll('\0', ' '), environment: await read('environ') })
  }
  return found
}

test('a server that renders, examines files and translates itself keeps its secrets to itself', linux, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-environment-'))
  // With a temporary directory of its own, where tsx finds nothing that it has translated before.
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TMPDIR: folder,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: folder,
    ...SECRETS,
  }
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--json'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  try {
    const url = await waitFor('the server to start', () => /^\{"url":"([^"]+)"\}$/m.exec(output)?.[1])
    const form = new FormData()
    form.set('kind', 'image')
    form.set('file', new Blob([await picture('red')], { type: 'image/png' }), 'red.png')
    const headers = { authorization: `Bearer ${KEY}` }
    const uploaded = await fetch(`${url}/api/v1/files`, { method: 'POST', body: form, headers })
    assert.equal(uploaded.status, 200, await uploaded.text())
    const body = { model: 'grok-imagine-video', prompt: 'a quiet sea' }
    const created = await request(`${url}/api/v1/generations`, 'POST', { key: KEY, body })
    assert.equal(created.status, 200, created.text)
    const started = await waitFor('the renderer', async () => {
      const found = await descendants(child.pid ?? assert.fail('no process'))
      return found.some(({ command }) => command.includes('render-process')) ? found : undefined
    })
    const commands = started.map(({ command }) => command)
    assert.ok(
      ['esbuild', 'render-process', 'postgres'].every((name) => commands.some((command) => command.includes(name))),
      commands.join('\n'),
    )
    for (const { command, environment } of started) {
      for (const [name, secret] of Object.entries(SECRETS)) {
        assert.ok(!environment.includes(secret) && !command.includes(secret), `${name} is in ${command}`)
      }
    }
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
})
