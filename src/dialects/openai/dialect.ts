import type { Dialect } from '../dialect.ts'
import { error } from './answers.ts'
import { renderRefusal } from './errors.ts'
import { routes } from './routes.ts'

/**
 * The OpenAI Videos API, which lives on as what gateways and engines speak. Below `/openai` only: at their native paths
 * some of its routes are xAI's.
 */
export const openai: Dialect = {
  id: 'openai',
  isBelowPrefixOnly: true,
  documentation: { title: 'OpenAI Videos API, by Reelay', error },
  routes,
  takesForms: true,
  notOffered: [
    { path: '/v1/videos/characters', what: 'Characters' },
    { path: '/v1/videos/characters/:id', what: 'Characters' },
  ],
  renderRefusal,
}
