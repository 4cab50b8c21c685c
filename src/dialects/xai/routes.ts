import { type Route, route } from '../dialect.ts'
import { notOffered } from '../not-offered.ts'
import { created, ended, pending } from './answers.ts'
import { parseGeneration, parseRequestId } from './parse.ts'
import { renderCreated, renderStatus } from './render.ts'
import { generationBody } from './schema.ts'

export const routes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/videos/generations',
    kind: 'create',
    scope: 'generations:create',
    body: generationBody,
    documentation: {
      summary: 'Generate a video',
      paramsAt: '',
      answers: { 200: created },
      example: {
        model: 'grok-imagine-video',
        prompt: 'A lighthouse in the rain, waves breaking on the rocks',
        duration: 8,
        aspect_ratio: '16:9',
        resolution: '480p',
      },
    },
    parse: parseGeneration,
    render: renderCreated,
  }),
  route({
    method: 'POST',
    path: '/v1/videos/edits',
    kind: 'create',
    scope: 'generations:create',
    documentation: { summary: 'Edit a video (not offered yet)', answers: {} },
    parse: notOffered('Editing videos'),
    render: renderCreated,
  }),
  route({
    method: 'POST',
    path: '/v1/videos/extensions',
    kind: 'create',
    scope: 'generations:create',
    documentation: { summary: 'Extend a video (not offered yet)', answers: {} },
    parse: notOffered('Extending videos'),
    render: renderCreated,
  }),
  route({
    method: 'GET',
    path: '/v1/videos/:request_id',
    kind: 'get',
    scope: 'generations:read',
    documentation: { summary: 'How far a video is', answers: { 200: ended, 202: pending } },
    parse: parseRequestId,
    render: renderStatus,
  }),
]
