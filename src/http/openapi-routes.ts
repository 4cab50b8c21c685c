import type { FastifyInstance } from 'fastify'
import { modelsOf } from '../catalog/resolve.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { openApiDocument } from '../dialects/openapi-document.ts'
import { bodyLimitsOf } from './body-limits.ts'
import type { Platform } from './platform.ts'

/** Serves a dialect's OpenAPI 3.1 document: public, made at the first request, from what serves the dialect itself. */
export function mountOpenApi(
  app: FastifyInstance,
  { dialect, platform }: { dialect: Dialect; platform: Pick<Platform, 'catalog' | 'publicUrl'> },
): void {
  const { documentation } = dialect
  const prefix = dialect.isBelowPrefixOnly === true ? `/${dialect.id}` : ''
  const models = modelsOf(platform.catalog, dialect.id)
  let made: { readonly serverUrl: string; readonly text: string } | undefined
  // Making it takes milliseconds, in which nobody else is served, and anybody may ask. It changes with the address alone,
  // which is not known before the server listens.
  const textFor = (serverUrl: string): string => {
    if (made?.serverUrl !== serverUrl) {
      const document = openApiDocument(dialect, { models, serverUrl, version: API_VERSION, bodyLimitsOf })
      made = { serverUrl, text: JSON.stringify(document) }
    }
    return made.text
  }
  for (const path of [
    `/${dialect.id}/openapi.json`,
    ...(documentation.path === undefined ? [] : [documentation.path]),
  ]) {
    app.get(path, async (_request, reply) => {
      reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' })
      return reply.type('application/json; charset=utf-8').send(textFor(`${platform.publicUrl()}${prefix}`))
    })
  }
}

/** Of the documents, not of the vendors' APIs: raised when what they say changes. */
const API_VERSION = '1.0.0'
