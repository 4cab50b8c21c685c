import { acedata } from './acedata/dialect.ts'
import type { Dialect } from './dialect.ts'
import { grokimagineapi } from './grokimagineapi/dialect.ts'
import { openai } from './openai/dialect.ts'
import { rivya } from './rivya/dialect.ts'
import { xai } from './xai/dialect.ts'

/** Every dialect that is served. A new one is a folder beside this file and a line here. */
export const DIALECTS: readonly Dialect[] = [rivya, xai, openai, grokimagineapi, acedata]
