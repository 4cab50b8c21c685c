/** What is wrong with a configuration file, in a sentence for whoever wrote it: the place, the value, what is allowed. */
import type { z } from 'zod'

type Issue = z.core.$ZodIssue
type Schema = z.core.JSONSchema.BaseSchema

/** Names of members that hold secrets: what stands there is never shown, for it may be one. */
const SECRETS: readonly PropertyKey[] = ['apiKey', 'webhookSecret']

const SHOWN_CHARACTERS = 80

/** `schema`: the file's JSON Schema, which knows what is allowed where. */
export function describeProblem(issue: Issue, { file, schema }: { file: unknown; schema: Schema }): string {
  const place = placeOf(issue.path)
  const node = nodeAt(schema, issue.path)
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length === 0 ? '' : ` in ${place}`
    return `there is no ${issue.keys.map(quoted).join(', ')}${where}; allowed: ${allowedBy(node)}`
  }
  if (issue.code === 'invalid_key') {
    const name = quoted(String(issue.path.at(-1)))
    return `${placeOf(issue.path.slice(0, -1))} cannot have a ${name}; allowed: names of a-z, 0-9 and -, that begin with a letter`
  }
  const value = valueAt(file, issue.path)
  // What a refinement wants, no schema can say.
  const isWorded = issue.code === 'custom' || issue.code === 'invalid_format'
  const allowed = isWorded ? issue.message : allowedBy(node)
  if (value === undefined) return `${place} is missing; allowed: ${allowed}`
  return `${place} cannot be ${shown(value, issue.path)}; allowed: ${allowed}`
}

/** `providers.main.kind`; `providers.main.apiKey[1]`. */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file'
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${memberOf(String(key))}`))
    .join('')
    .slice(1)
}

function memberOf(key: string): string {
  return /^[\w$*-]+$/.test(key) ? key : quoted(key)
}

function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text)
}

function valueAt(file: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    file,
  )
}

function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (path.some((key) => SECRETS.includes(key))) return 'what it is (not shown: it may be a secret)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  // An address may have a password or a key in it.
  return typeof value === 'string'
    ? quoted(value.replace(/\/\/[^/?#]*@/, '//…@').replace(/\?.*$/s, '?…'))
    : String(value)
}

/** The part of the schema that a place is judged by; of alternatives, all of them. */
function nodeAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  let node: Schema | undefined = schema
  for (const key of path) node = node === undefined ? undefined : childOf(node, key)
  return node
}

function childOf(node: Schema, key: PropertyKey): Schema | undefined {
  if (typeof key === 'number') {
    const list = node.type === 'array' ? node : node.anyOf?.filter(isSchema).find(({ type }) => type === 'array')
    const items = list?.items
    return isSchema(items) ? items : undefined
  }
  const child = node.properties?.[String(key)] ?? node.additionalProperties
  return isSchema(child) ? child : undefined
}

function isSchema(node: unknown): node is Schema {
  return typeof node === 'object' && node !== null && !Array.isArray(node)
}

function allowedBy(node: Schema | undefined): string {
  if (node === undefined) return 'what the schema says'
  if (node.enum !== undefined) return node.enum.map(String).join(', ')
  if (node.anyOf !== undefined) return node.anyOf.filter(isSchema).map(allowedBy).join(', or ')
  switch (node.type) {
    case 'object':
      return node.properties === undefined ? 'an object' : `an object of ${Object.keys(node.properties).join(', ')}`
    case 'array':
      return `a list of ${node.minItems ?? 0} or more (${isSchema(node.items) ? allowedBy(node.items) : 'anything'})`
    case 'integer':
      return `a whole number ${rangeOf(node)}`
    case 'number':
      return `a number ${rangeOf(node)}`
    case 'boolean':
      return 'true, false'
    default:
      if (node.format === 'uri') return 'an http or https address'
      return node.pattern?.includes('env:') === true ? 'env:NAME or file:PATH' : 'a text'
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const least = minimum ?? exclusiveMinimum ?? 0
  const from = exclusiveMinimum === undefined ? `from ${least}` : `above ${least}`
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? from : `${from} to ${maximum}`
}
