import { type Route, route } from '../dialect.ts'
import { parseCreate, parseList, parseTaskId } from './parse.ts'
import { renderBalance, renderCreated, renderModels, renderPage, renderTask } from './render.ts'
import { createBody } from './schema.ts'

/** Cancel and list are ours; the rest is the vendor's. */
export const routes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/models',
    kind: 'models',
    scope: undefined,
    parse: () => ({}),
    render: renderModels,
  }),
  route({
    method: 'POST',
    path: '/api/v1/generations',
    kind: 'create',
    scope: 'generations:create',
    body: createBody,
    parse: parseCreate,
    render: renderCreated,
  }),
  route({
    method: 'GET',
    path: '/api/v1/generations',
    kind: 'list',
    scope: 'generations:read',
    parse: parseList,
    render: renderPage,
  }),
  route({
    method: 'GET',
    path: '/api/v1/generations/:id',
    kind: 'get',
    scope: 'generations:read',
    parse: parseTaskId,
    render: renderTask,
  }),
  route({
    method: 'POST',
    path: '/api/v1/generations/:id/cancel',
    kind: 'cancel',
    scope: 'generations:create',
    parse: parseTaskId,
    render: renderTask,
  }),
  route({
    method: 'GET',
    path: '/api/v1/credits',
    kind: 'balance',
    scope: 'credits:read',
    parse: () => ({}),
    render: renderBalance,
  }),
]
