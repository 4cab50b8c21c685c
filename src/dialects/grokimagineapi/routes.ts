import { type Route, route } from '../dialect.ts'
import { generated, status } from './answers.ts'
import { parseGenerate, parseStatus } from './parse.ts'
import { renderGenerated, renderStatus } from './render.ts'
import { generateBody, statusQuery } from './schema.ts'

export const routes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/generate',
    kind: 'create',
    scope: 'generations:create',
    body: generateBody,
    takesReferences: true,
    documentation: {
      summary: 'Create a video',
      paramsAt: '',
      answers: { 200: generated },
      example: { mode: 'fun', prompt: 'a beautiful landscape with mountains', ratio: '1:1' },
    },
    parse: parseGenerate,
    render: renderGenerated,
  }),
  route({
    method: 'GET',
    path: '/v1/status',
    kind: 'get',
    scope: 'generations:read',
    documentation: { summary: 'How a task stands', query: statusQuery, answers: { 200: status } },
    parse: parseStatus,
    render: renderStatus,
  }),
]
