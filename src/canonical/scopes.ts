/** What a key may do. The words are Rivya's, the only dialect that documents scopes; they hold in every dialect. */
export const SCOPES = [
  'models:read',
  'generations:create',
  'generations:read',
  'files:create',
  'files:read',
  'credits:read',
  'webhooks:manage',
] as const
export type Scope = (typeof SCOPES)[number]

export function isScope(word: string): word is Scope {
  return (SCOPES as readonly string[]).includes(word)
}
