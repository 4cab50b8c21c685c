import type { ReferencePolicy } from '../canonical/model.ts'
import type { ReferenceKind } from '../canonical/reference.ts'
import { Refusal } from '../canonical/refusal.ts'

/** What a file was found to be: what a policy can be held against. */
export interface FoundFile {
  readonly kind: ReferenceKind
  readonly mimeType: string
  readonly sizeBytes: number
  readonly durationSeconds?: number | undefined
}

/**
 * Holds a file against what a model takes in one role. Also for files that are uploaded with that model in mind.
 * @throws Refusal `invalid_field` that says what was found and what is allowed.
 */
export function checkReference(policy: Pick<ReferencePolicy, 'kinds'>, field: string, found: FoundFile): void {
  const rule = policy.kinds.find(({ kind }) => kind === found.kind)
  if (rule === undefined || !rule.mimeTypes.includes(found.mimeType)) {
    throw refused(field, `the file is ${found.mimeType}`, allowedKinds(policy))
  }
  if (found.sizeBytes > rule.maxBytes) {
    throw refused(field, `the file has ${found.sizeBytes} bytes`, `at most ${rule.maxBytes} bytes`)
  }
  const { durationSeconds } = found
  const { minSeconds = 0, maxSeconds = Number.POSITIVE_INFINITY } = rule
  if (durationSeconds !== undefined && (durationSeconds < minSeconds || durationSeconds > maxSeconds)) {
    const allowed = rule.minSeconds === undefined ? `at most ${maxSeconds} s` : `${minSeconds} to ${maxSeconds} s`
    throw refused(field, `the ${found.kind} is ${durationSeconds} s long`, allowed)
  }
}

/** The types that a policy takes, in words. */
export function allowedKinds(policy: Pick<ReferencePolicy, 'kinds'>): string {
  return policy.kinds.map(({ kind, mimeTypes }) => `${kind} (${mimeTypes.join(', ')})`).join(', ')
}

function refused(field: string, found: string, allowed: string): Refusal {
  return new Refusal('invalid_field', `${field} cannot be used: ${found}; allowed: ${allowed}.`, {
    detail: { field, allowed },
  })
}
