import type { FastifyInstance } from 'fastify'
import { modelsOf } from '../catalog/resolve.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { openApiDocument } from '../dialects/openapi-document.ts'
import type { Platform } from './platform.ts'

/** Serves a dialect's OpenAPI 3.1 document: public, made once, from what serves the dialect itself. */
export function mountOpenApi(
  app: FastifyInstance,
  { dialect, platform }: { dialect: Dialect; platform: Platform },
): void {
  const { documentation } = dialect
  const prefix = dialect.isBelowPrefixOnly === true ? `/${dialect.id}` : ''
  const models = modelsOf(platform.catalog, dialect.id)
  for (const path of [
    `/${dialect.id}/openapi.json`,
    ...(documentation.path === undefined ? [] : [documentation.path]),
  ]) {
    app.get(path, async (_request, reply) => {
      reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' })
      return openApiDocument(dialect, { models, serverUrl: `${platform.publicUrl()}${prefix}`, version: API_VERSION })
    })
  }
}

/** Of the documents, not of the vendors' APIs: raised when what they say changes. */
const API_VERSION = '1.0.0'
