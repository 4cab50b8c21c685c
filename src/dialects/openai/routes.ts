import { type Route, route } from '../dialect.ts'
import { deletedVideo, model, modelList, video, videoList } from './answers.ts'
import { parseContent, parseCreate, parseEdit, parseExtension, parseList, parseRemix, parseVideoId } from './parse.ts'
import {
  renderContent,
  renderCreated,
  renderDeleted,
  renderModel,
  renderModels,
  renderPage,
  renderVideo,
} from './render.ts'
import {
  contentQuery,
  createBody,
  createForm,
  editBody,
  editForm,
  extensionBody,
  extensionForm,
  listQuery,
  remixBody,
} from './schema.ts'

export const routes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/models',
    kind: 'models',
    scope: 'generations:read',
    documentation: { summary: 'The models, under each of their names', answers: { 200: modelList } },
    parse: () => ({}),
    render: renderModels,
  }),
  route({
    method: 'GET',
    path: '/v1/models/:model',
    kind: 'models',
    scope: 'generations:read',
    documentation: { summary: 'One model', answers: { 200: model } },
    parse: () => ({}),
    render: renderModel,
  }),
  route({
    method: 'POST',
    path: '/v1/videos',
    kind: 'create',
    scope: 'generations:create',
    body: createBody,
    takesReferences: true,
    documentation: {
      summary: 'Create a video, from words and maybe a picture',
      paramsAt: '',
      form: createForm,
      answers: { 200: video },
      example: { prompt: 'A calico cat playing a piano on stage', seconds: '4', size: '1280x720' },
    },
    parse: parseCreate,
    render: renderCreated,
  }),
  route({
    method: 'GET',
    path: '/v1/videos',
    kind: 'list',
    scope: 'generations:read',
    documentation: { summary: 'List videos', query: listQuery, answers: { 200: videoList } },
    parse: parseList,
    render: renderPage,
  }),
  route({
    method: 'GET',
    path: '/v1/videos/:id',
    kind: 'get',
    scope: 'generations:read',
    documentation: { summary: 'Read a video', answers: { 200: video } },
    parse: parseVideoId,
    render: renderVideo,
  }),
  route({
    method: 'GET',
    path: '/v1/videos/:id/content',
    kind: 'get',
    scope: 'generations:read',
    documentation: {
      summary: 'Download a video, its thumbnail (JPEG), or ten of its frames in a grid (JPEG)',
      query: contentQuery,
      answers: { 200: { mediaType: '*/*' }, 206: { mediaType: '*/*' } },
    },
    parse: parseContent,
    render: renderContent,
  }),
  route({
    method: 'DELETE',
    path: '/v1/videos/:id',
    kind: 'remove',
    scope: 'generations:create',
    documentation: { summary: 'Delete a video and its files', answers: { 200: deletedVideo } },
    parse: parseVideoId,
    render: renderDeleted,
  }),
  {
    method: 'POST',
    path: '/v1/videos/:id/remix',
    kind: 'create',
    scope: 'generations:create',
    body: remixBody,
    documentation: {
      summary: 'Edit a video of yours: as the prompt says, as long as it was',
      paramsAt: '',
      operation: 'edit',
      answers: { 200: video },
    },
    // Sealed by hand: a video that is not there is not found, as at every path that names one. Asked only after a refusal:
    // what a key has made is its answer, also when the video is gone by now.
    answer: async (request, execute) => {
      const input = parseRemix(request)
      try {
        return renderCreated(await execute('create', input))
      } catch (error) {
        await execute('get', parseVideoId(request))
        throw error
      }
    },
  },
  route({
    method: 'POST',
    path: '/v1/videos/edits',
    kind: 'create',
    scope: 'generations:create',
    body: editBody,
    takesReferences: true,
    documentation: {
      summary: 'Edit a video of yours or of a file: as the prompt says, as long as it was',
      paramsAt: '',
      operation: 'edit',
      form: editForm,
      answers: { 200: video },
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
      summary: 'Extend a video of yours or of a file: the whole of it, and what comes next',
      paramsAt: '',
      operation: 'extend',
      form: extensionForm,
      answers: { 200: video },
    },
    parse: parseExtension,
    render: renderCreated,
  }),
]
