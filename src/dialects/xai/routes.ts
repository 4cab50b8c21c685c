import { type Route, route } from '../dialect.ts'
import { created, ended, pending } from './answers.ts'
import { parseEdit, parseExtension, parseGeneration, parseRequestId } from './parse.ts'
import { renderCreated, renderStatus } from './render.ts'
import { editBody, extensionBody, generationBody } from './schema.ts'

export const routes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/videos/generations',
    kind: 'create',
    scope: 'generations:create',
    body: generationBody,
    takesReferences: true,
    documentation: {
      summary: 'Generate a video, from words and maybe pictures',
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
    body: editBody,
    takesReferences: true,
    documentation: {
      summary: 'Edit a video: as the prompt says, as long as it was',
      paramsAt: '',
      operation: 'edit',
      answers: { 200: created },
    },
    parse: parseEdit,
    render: renderCreated,
  }),
  route({
    method: 'POST',
    path: '/v1/videos/extensions',
    kind: 'create',
    scope: 'generations:create',
    body: extensionBody,
    takesReferences: true,
    documentation: {
      summary: 'Extend a video: the whole of it, and what comes next',
      paramsAt: '',
      operation: 'extend',
      answers: { 200: created },
    },
    parse: parseExtension,
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
