import type { Route } from '../dialect.ts'
import { tasks, video } from './answers.ts'
import { renderLines, renderWhenEnded } from './follow.ts'
import { parseTasks, parseVideos } from './parse.ts'
import { renderAccepted, renderTask, renderTasks } from './render.ts'
import { tasksBody, videosBody } from './schema.ts'

/** Both are sealed by hand: what they carry out depends on the body. `kind` names what it is in the main. */
export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/grok/videos',
    kind: 'follow',
    scope: 'generations:create',
    body: videosBody,
    takesReferences: true,
    documentation: {
      summary: 'Create a video and wait for it; with Accept: application/x-ndjson, live lines of progress come first',
      paramsAt: '',
      answers: { 200: video },
      example: {
        prompt: 'A cinematic shot of a kitten chasing a butterfly in a sunlit garden',
        model: 'grok-imagine-video',
        aspect_ratio: '16:9',
        resolution: '480p',
        duration: 8,
        async: true,
      },
    },
    answer: async (request, execute, context) => {
      const { input, answer } = parseVideos(request)
      switch (answer) {
        case 'at once':
          return renderAccepted(await execute('create', input))
        case 'json':
          return renderWhenEnded(await execute('follow', input), context)
        case 'ndjson':
          return renderLines(await execute('follow', input), context)
      }
    },
  },
  {
    method: 'POST',
    path: '/grok/tasks',
    kind: 'get',
    scope: 'generations:read',
    body: tasksBody,
    documentation: { summary: 'How one task stands, or several', answers: { 200: tasks } },
    answer: async (request, execute, context) => {
      const asked = parseTasks(request)
      switch (asked.action) {
        case 'retrieve':
          return renderTask(await execute('get', { id: asked.id }), context)
        case 'retrieve_batch':
          return renderTasks(await execute('getMany', { ids: asked.ids }), context)
      }
    },
  },
]
