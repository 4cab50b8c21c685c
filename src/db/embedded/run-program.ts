import { type RunAs, spawnAs } from './run-as.ts'

/** How a program ended, and everything it wrote. */
export interface ProgramOutcome {
  /** `undefined` if it could not be started or was killed. */
  readonly exitCode: number | undefined
  readonly output: string
}

/** Runs a program of PostgreSQL's to its end. Never throws: a program that cannot be started says so in `output`. */
export function runProgram(runAs: RunAs, program: string, args: readonly string[]): Promise<ProgramOutcome> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawnAs(runAs, program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      env: programEnvironment(),
    })
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('error', (error) => resolve({ exitCode: undefined, output: error.message }))
    child.on('close', (code) => resolve({ exitCode: code ?? undefined, output }))
  })
}

/**
 * The environment of PostgreSQL's programs: English messages, for some are recognised here, and none of the variables
 * (`PGDATA`, `PGPORT`, secrets of Reelay's) that belong to somebody else.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}
