/**
 * SIGKILL of an upstream at points of the life of the job that it makes for a gateway: two real processes. The
 * gateway waits, asks again by the same key, and neither gives the task up nor has it made twice.
 */
import { describeVictims } from './chained-victims.ts'

describeVictims('upstream', 'xai')
