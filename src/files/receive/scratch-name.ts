import { randomUUID } from 'node:crypto'
import process from 'node:process'

/** Tells this process from an earlier one of the same number: in a container each start may be number 1. */
const PROCESS_TOKEN = randomUUID().slice(0, 8)

/** A new name for a temporary file: `<pid>.<token of the process>.<uuid>`. */
export function scratchName(): string {
  return `${process.pid}.${PROCESS_TOKEN}.${randomUUID()}`
}

/** Whether a file of that name has nobody left who would delete it; never of a name that was not made here. */
export function isAbandoned(name: string): boolean {
  const parts = /^(\d+)\.([0-9a-f]{8})\.[0-9a-f-]{36}$/.exec(name)
  if (parts === null) return false
  const pid = Number(parts[1])
  return pid === process.pid ? parts[2] !== PROCESS_TOKEN : !isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Any other error than “no such process” means that there is one, of another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
