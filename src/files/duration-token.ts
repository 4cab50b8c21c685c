/**
 * Duration tokens: our signed statement of how long we measured a video or audio to be, which its owner carries from the
 * Files API to a request. A JWT (RFC 7519) under HMAC-SHA256 and no other algorithm, for one account and one content.
 */
import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { type AccountId, type FileId, parseId } from '../canonical/ids.ts'

/** Bytes of the secret: as long as the hash (RFC 7518, 3.2). */
export const DURATION_TOKEN_SECRET_BYTES = 32

const ALGORITHM = 'HS256'
const ISSUER = 'reelay'
/** What a token is good for: no other token of this installation passes for one. */
const AUDIENCE = 'reelay:duration'

export interface DurationClaims {
  readonly account: AccountId
  readonly fileId: FileId
  /** Hex; of the bytes that were measured. */
  readonly sha256: string
  /** To the millisecond. */
  readonly durationSeconds: number
  /** The file's own end; in the token to the second. */
  readonly expiresAt: Date
}

/** `expired` is said of genuine tokens only: a forger learns nothing. */
export type DurationVerdict =
  | { readonly kind: 'valid'; readonly claims: DurationClaims }
  | { readonly kind: 'expired' }
  | { readonly kind: 'forged' }

const payloadSchema = z.object({
  sub: z.string().transform((text, context) => parsed('acct', text, context)),
  file: z.string().transform((text, context) => parsed('file', text, context)),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  duration_ms: z.int().positive(),
  /** Unix seconds. */
  exp: z.int(),
})

function parsed<Prefix extends string>(prefix: Prefix, text: string, context: z.RefinementCtx) {
  const id = parseId(prefix, text)
  if (id !== undefined) return id
  context.addIssue({ code: 'custom', message: `is no ${prefix} id` })
  return z.NEVER
}

/** Signs and judges the duration tokens of this installation. */
export class DurationTokens {
  readonly #secret: Buffer
  readonly #now: () => Date

  constructor({ secret, now }: { readonly secret: Buffer; readonly now: () => Date }) {
    if (secret.length !== DURATION_TOKEN_SECRET_BYTES) {
      throw new Error(`Duration tokens are signed with ${DURATION_TOKEN_SECRET_BYTES} bytes.`)
    }
    this.#secret = secret
    this.#now = now
  }

  /** @throws TypeError for a file that has no length. */
  async sign({ account, fileId, sha256, durationSeconds, expiresAt }: DurationClaims): Promise<string> {
    const durationMs = Math.round(durationSeconds * 1000)
    if (!(durationMs > 0)) throw new TypeError(`a file of ${durationSeconds} s has no duration to state`)
    return await new SignJWT({ file: fileId, sha256, duration_ms: durationMs })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(account)
      .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
      .sign(this.#secret)
  }

  async verify(token: string): Promise<DurationVerdict> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        // Pinned: neither `none` nor whatever else a token's own header asks for.
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: this.#now(),
      })
      const stated = payloadSchema.safeParse(payload)
      // Signed with this secret, but not by this code: nothing that it can rely on.
      if (!stated.success) return { kind: 'forged' }
      const { sub, file, sha256, duration_ms, exp } = stated.data
      const claims = { account: sub, fileId: file, sha256, durationSeconds: duration_ms / 1000 }
      return { kind: 'valid', claims: { ...claims, expiresAt: new Date(exp * 1000) } }
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { kind: 'expired' }
      if (error instanceof errors.JOSEError) return { kind: 'forged' }
      throw error
    }
  }
}
