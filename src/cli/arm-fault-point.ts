import process from 'node:process'
import { ConfigError } from '../config/config-error.ts'
import { FAULT_POINTS, setFaultHook } from '../observe/fault-point.ts'

/**
 * `REELAY_FAULT=<point>` kills this very process, as SIGKILL does, the first time that the point is reached: how the
 * tests prove that no crash loses a task or a credit. Never set it elsewhere.
 */
export function armFaultPoint(setting: string | undefined): void {
  if (setting === undefined || setting === '') return
  const armed = FAULT_POINTS.find((point) => point === setting)
  if (armed === undefined) throw new ConfigError(`REELAY_FAULT=${setting} is not one of ${FAULT_POINTS.join(', ')}.`)
  setFaultHook((point) => {
    if (point === armed) process.kill(process.pid, 'SIGKILL')
  })
}
