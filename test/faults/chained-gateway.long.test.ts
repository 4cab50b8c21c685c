/**
 * SIGKILL of a gateway at every point of the life of a task whose video another Reelay makes: two real processes. The
 * upstream honours the attempt's `Idempotency-Key`, so whatever was in doubt is asked for again, and made once.
 */
import { describeVictims } from './chained-victims.ts'

describeVictims('gateway', 'openai-videos')
