import { Refusal } from '../../canonical/refusal.ts'

export type AnswerFormat = 'json' | 'ndjson'

const FORMAT_OF: Readonly<Record<string, AnswerFormat>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/x-ndjson': 'ndjson',
}

/**
 * Reads `Accept`: the format that is wanted most, of two wanted alike the one named first. JSON is the documented
 * default; a header that has room for neither format is refused, for no answer could please its sender (ours).
 */
export function readAccept(header: string | string[] | undefined): AnswerFormat {
  if (header === undefined) return 'json'
  const sent = [header].flat().join(', ')
  const wanted = sent
    .split(',')
    .map(readRange)
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
  for (const { type } of wanted) {
    const format = Object.hasOwn(FORMAT_OF, type) ? FORMAT_OF[type] : undefined
    if (format !== undefined) return format
  }
  const allowed = 'application/json or application/x-ndjson'
  throw new Refusal(
    'invalid_field',
    `The header Accept cannot be ${JSON.stringify(sent.slice(0, 80))}; allowed: ${allowed}.`,
    {
      detail: { field: 'accept', value: sent, allowed },
    },
  )
}

/** One media range with its weight (RFC 9110, 12.5.1): 1 unless said, 0 for never. */
function readRange(range: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) }
}
