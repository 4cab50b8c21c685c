import type { AccountId } from '../../canonical/ids.ts'
import type { AskedReference } from '../../canonical/reference.ts'
import type { DurationTokens } from '../duration-token.ts'
import { refusedReference } from '../refused-reference.ts'
import type { FoundReference } from './find-reference.ts'

/**
 * How far a stated length may be from the measured one, in seconds: a frame at 24 a second is 42 ms, and programs differ
 * about whether the last one counts.
 */
const DURATION_TOLERANCE_SECONDS = 0.05

const ALLOWED_TOKEN = 'the duration_token that the Files API gave for this file'

/**
 * Holds what a request says of a reference against what was found.
 * @throws Refusal that says which of the two statements does not agree.
 */
export async function checkDeclared(
  durationTokens: DurationTokens,
  {
    account,
    asked,
    found,
  }: { readonly account: AccountId; readonly asked: AskedReference; readonly found: FoundReference },
): Promise<void> {
  const { field, declared } = asked
  const { file } = found
  if (declared === undefined) return
  if (declared.kind !== undefined && declared.kind !== file.kind) {
    const wrong = `is declared as ${declared.kind}, and the file is ${file.mimeType}`
    throw refusedReference({ field, wrong, allowed: `kind ${file.kind} for this file` })
  }
  const { durationSeconds, durationToken } = declared
  // A picture has no length, which a caller may state as none.
  const measured = file.durationSeconds ?? 0
  if (durationSeconds !== undefined && !(Math.abs(durationSeconds - measured) <= DURATION_TOLERANCE_SECONDS)) {
    const isStated = `is declared as ${durationSeconds} s long`
    if (file.kind === 'image') {
      const wrong = `${isStated}, and a picture has no duration`
      throw refusedReference({ field, wrong, allowed: 'no duration, or 0' })
    }
    const wrong = `${isStated}, and the file is ${measured} s long`
    throw refusedReference({ field, wrong, allowed: 'the length that was measured, or none' })
  }
  if (durationToken !== undefined) await checkToken(durationTokens, { account, field, found, durationToken })
  else if (declared.needsDurationToken === true && file.kind !== 'image') {
    throw refusedReference({ field, wrong: `is ${file.kind} without a duration token`, allowed: ALLOWED_TOKEN })
  }
}

async function checkToken(
  durationTokens: DurationTokens,
  about: {
    readonly account: AccountId
    readonly field: string
    readonly found: FoundReference
    readonly durationToken: string
  },
): Promise<void> {
  const { account, field, found, durationToken } = about
  const refused = (wrong: string) => refusedReference({ field, wrong, allowed: ALLOWED_TOKEN })
  const verdict = await durationTokens.verify(durationToken)
  if (verdict.kind === 'expired') throw refused('has a duration token that has expired')
  // Another account's token is told apart from an invented one to nobody.
  if (verdict.kind === 'forged' || verdict.claims.account !== account) {
    throw refused('has a duration token that is not valid')
  }
  const { claims } = verdict
  const isOfOtherFile = found.namedFile !== undefined && claims.fileId !== found.namedFile
  if (isOfOtherFile || claims.sha256 !== found.file.sha256) throw refused('has a duration token of another file')
}
