import process from 'node:process'

/** What a process needs to run at all. */
const PASSED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH', 'NODE_OPTIONS']

/** The environment of a process that decodes foreign bytes: none of our secrets is in it. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(PASSED.map((name) => [name, process.env[name]]))
}
