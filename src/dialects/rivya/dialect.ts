import type { Dialect } from '../dialect.ts'
import { error } from './answers.ts'
import { renderRefusal } from './errors.ts'
import { routes } from './routes.ts'

/** Rivya Public API v1 (https://rivya.ai). */
export const rivya: Dialect = {
  id: 'rivya',
  documentation: { title: 'Rivya Public API v1, by Reelay', error, path: '/api/v1/openapi.json' },
  routes,
  renderRefusal,
}
