import type { Dialect } from '../dialect.ts'
import { error } from './answers.ts'
import { renderRefusal } from './errors.ts'
import { routes } from './routes.ts'

/** The API of https://grokimagineapi.com. */
export const grokimagineapi: Dialect = {
  id: 'grokimagineapi',
  documentation: { title: 'grokimagineapi, by Reelay', error },
  showsBodies: true,
  routes,
  renderRefusal,
}
