import type { Dialect } from '../dialect.ts'
import { renderRefusal } from './errors.ts'
import { routes } from './routes.ts'

/** Rivya Public API v1 (https://rivya.ai). */
export const rivya: Dialect = { id: 'rivya', routes, renderRefusal }
