import type { Model, ReferencePolicy } from '../canonical/model.ts'
import { Refusal } from '../canonical/refusal.ts'
import { checkReference, type FoundFile } from '../catalog/check-reference.ts'
import { refusedReference } from '../files/refused-reference.ts'

/** What an upload is held against. */
export interface UploadRules {
  /** The form's field that holds the file. */
  readonly part: string
  readonly model: Model | undefined
  /** What is taken where no model is named. */
  readonly kinds: ReferencePolicy['kinds']
}

/**
 * Holds an uploaded file against what the model takes, in whatever role; without a model, against the dialect's rules.
 * @throws Refusal `invalid_field` that says what was found and what is allowed.
 */
export function checkUpload(file: FoundFile, { part, model, kinds }: UploadRules): void {
  if (model === undefined) {
    checkReference({ kinds }, part, file)
    return
  }
  const policies = [model, model.edit, model.extend].flatMap((operation) => operation?.references ?? [])
  // Of a policy that takes this kind of file the refusal says more than that the type is wrong.
  const bestFirst = [...policies].sort((a, b) => Number(takes(b, file)) - Number(takes(a, file)))
  const refusals = bestFirst.map((policy) => refusalBy(policy, part, file))
  if (refusals.includes(undefined)) return
  throw refusals[0] ?? takesNothing(model, part)
}

function takes({ kinds }: ReferencePolicy, { kind }: FoundFile): boolean {
  return kinds.some((rule) => rule.kind === kind)
}

function refusalBy(policy: ReferencePolicy, part: string, file: FoundFile): Refusal | undefined {
  try {
    checkReference(policy, part, file)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function takesNothing({ id }: Model, part: string): Refusal {
  return refusedReference({ field: part, wrong: `cannot be used: ${id} takes no files`, allowed: 'no file' })
}
