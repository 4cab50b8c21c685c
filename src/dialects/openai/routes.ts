import { type Route, route } from '../dialect.ts'
import { notOffered } from '../not-offered.ts'
import { deletedVideo, video, videoList } from './answers.ts'
import { parseContent, parseCreate, parseList, parseVideoId } from './parse.ts'
import { renderContent, renderCreated, renderDeleted, renderPage, renderVideo } from './render.ts'
import { contentQuery, createBody, listQuery } from './schema.ts'

export const routes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/videos',
    kind: 'create',
    scope: 'generations:create',
    body: createBody,
    documentation: {
      summary: 'Create a video',
      paramsAt: '',
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
  route({
    method: 'POST',
    path: '/v1/videos/:id/remix',
    kind: 'create',
    scope: 'generations:create',
    documentation: { summary: 'Remix a video (not offered yet)', answers: {} },
    parse: notOffered('Remixing videos'),
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
]
