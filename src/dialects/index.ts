import type { Dialect } from './dialect.ts'
import { rivya } from './rivya/dialect.ts'

/** Every dialect that is served. A new one is a folder beside this file and a line here. */
export const DIALECTS: readonly Dialect[] = [rivya]
