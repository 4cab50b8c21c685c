import type { Dialect } from '../dialect.ts'
import { error } from './answers.ts'
import { renderRefusal } from './errors.ts'
import { renderCallback } from './render.ts'
import { routes } from './routes.ts'

/** The Grok endpoints of AceData Cloud (https://api.acedata.cloud). */
export const acedata: Dialect = {
  id: 'acedata',
  documentation: { title: 'AceData Cloud Grok videos, by Reelay', error },
  showsBodies: true,
  routes,
  renderRefusal,
  renderCallback,
}
