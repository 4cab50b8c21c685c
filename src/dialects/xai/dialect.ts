import type { Dialect } from '../dialect.ts'
import { error } from './answers.ts'
import { renderRefusal } from './errors.ts'
import { routes } from './routes.ts'

/** The video part of xAI's API (https://docs.x.ai). */
export const xai: Dialect = {
  id: 'xai',
  documentation: { title: 'xAI video API, by Reelay', error },
  routes,
  renderRefusal,
}
