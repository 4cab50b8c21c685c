import { dirname, resolve } from 'node:path'
import { ConfigError } from './config-error.ts'
import { readRegularFile } from './read-regular-file.ts'

export interface SecretSource {
  /** The configuration file, which paths are relative to. */
  readonly file: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Of printable characters, as it goes into a header; anything else was pasted wrongly. */
const PLAIN = /^[\x21-\x7e]+$/

/**
 * The secret that `env:NAME` or `file:PATH` names. `place` is where the file names it.
 * @throws ConfigError where it is not there; what it is, is in no message.
 */
export async function readSecret(secret: string, place: string, source: SecretSource): Promise<string> {
  const [scheme = '', name = ''] = splitOnce(secret)
  const found = scheme === 'env' ? source.environment[name] : await secretFile(name, place, source)
  const what = scheme === 'env' ? `the environment variable${shownName(name)}` : `the file ${name}`
  const wanted = `${source.file}: ${place} wants ${what}`
  if (found === undefined || found === '') {
    throw new ConfigError(`${wanted}, which is ${scheme === 'env' ? 'not set' : 'empty'}.`)
  }
  if (!PLAIN.test(found)) throw new ConfigError(`${wanted}, which has spaces or letters in it that no key has.`)
  return found
}

/** Empty for what may be the secret itself, written where its name belongs. */
function shownName(name: string): string {
  return /^[A-Z][A-Z0-9_]*$/.test(name) ? ` ${name}` : ''
}

function splitOnce(secret: string): [string, string] {
  const colon = secret.indexOf(':')
  return [secret.slice(0, colon), secret.slice(colon + 1)]
}

async function secretFile(name: string, place: string, { file }: SecretSource): Promise<string> {
  try {
    // Whatever wrote it, an editor or a container's platform, a line has an end.
    return (await readRegularFile(resolve(dirname(file), name))).toString('utf8').trim()
  } catch (cause) {
    throw new ConfigError(`${file}: ${place} wants the file ${name}, which cannot be read.`, { cause })
  }
}
