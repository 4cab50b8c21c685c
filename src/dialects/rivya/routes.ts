import { type Route, route } from '../dialect.ts'
import { credits, generation, generationList, modelList } from './answers.ts'
import { parseCreate, parseList, parseTaskId } from './parse.ts'
import { renderBalance, renderCreated, renderModels, renderPage, renderTask } from './render.ts'
import { createBody, listQuery } from './schema.ts'

/** Cancel and list are ours; the rest is the vendor's. */
export const routes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/models',
    kind: 'models',
    scope: undefined,
    documentation: { summary: 'The models and their parameters', answers: { 200: modelList } },
    parse: () => ({}),
    render: renderModels,
  }),
  route({
    method: 'POST',
    path: '/api/v1/generations',
    kind: 'create',
    scope: 'generations:create',
    body: createBody,
    documentation: {
      summary: 'Create a generation',
      paramsAt: 'params',
      answers: { 200: generation },
      example: {
        model: 'grok-imagine-video',
        prompt: 'A cinematic product reveal with smooth camera movement',
        params: { mode: 'normal', duration: 6, resolution: '480p', aspect_ratio: '2:3' },
      },
    },
    parse: parseCreate,
    render: renderCreated,
  }),
  route({
    method: 'GET',
    path: '/api/v1/generations',
    kind: 'list',
    scope: 'generations:read',
    documentation: { summary: 'Your generations, newest first', query: listQuery, answers: { 200: generationList } },
    parse: parseList,
    render: renderPage,
  }),
  route({
    method: 'GET',
    path: '/api/v1/generations/:id',
    kind: 'get',
    scope: 'generations:read',
    documentation: { summary: 'How a generation stands', answers: { 200: generation } },
    parse: parseTaskId,
    render: renderTask,
  }),
  route({
    method: 'POST',
    path: '/api/v1/generations/:id/cancel',
    kind: 'cancel',
    scope: 'generations:create',
    documentation: { summary: 'Cancel a generation; its credits return', answers: { 200: generation } },
    parse: parseTaskId,
    render: renderTask,
  }),
  route({
    method: 'GET',
    path: '/api/v1/credits',
    kind: 'balance',
    scope: 'credits:read',
    documentation: { summary: 'Your credits', answers: { 200: credits } },
    parse: () => ({}),
    render: renderBalance,
  }),
]
