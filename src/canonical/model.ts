/**
 * A model as one dialect offers it: the shape of the catalog's JSON files. The same data validates requests, quotes
 * their price, and documents the model, so the three cannot disagree.
 */
import { z } from 'zod'
import { ASPECT_RATIOS, MODES, RESOLUTIONS } from './generation.ts'
import { REFERENCE_KINDS, REFERENCE_ROLES } from './reference.ts'

/** Languages of the customers' documentation; texts fall back to English. */
export const LANGUAGES = ['en', 'fr', 'ru', 'hi', 'id'] as const
export type Language = (typeof LANGUAGES)[number]

const localText = z.partialRecord(z.enum(LANGUAGES), z.string().min(1)).refine((text) => text.en !== undefined, {
  error: 'needs a text in English',
})

/** What a parameter stands for, whatever a dialect calls it. `size` is resolution and ratio in one: `1280x720`. */
const meaning = z.enum(['mode', 'durationSeconds', 'resolution', 'aspectRatio', 'size', 'seed'])
export type ParameterMeaning = z.infer<typeof meaning>

const parameterBase = {
  /** Exactly as callers write it: key casing differs per model and is never normalised. */
  key: z.string().min(1),
  meaning,
  description: localText,
}

const selectParameter = z.strictObject({
  ...parameterBase,
  type: z.literal('select'),
  options: z.array(z.string()).min(1),
  default: z.string(),
  /** The default of an aspect ratio where the request has a picture: the picture's own. */
  defaultWithReference: z.literal('source').optional(),
})

const numberParameter = z.strictObject({
  ...parameterBase,
  type: z.literal('number'),
  min: z.number(),
  max: z.number(),
  /** Allowed values are `min`, `min + step`, … up to `max`. */
  step: z.number().positive(),
  /** Without one the platform chooses (a seed). */
  default: z.number().optional(),
})

const textParameter = z.strictObject({
  ...parameterBase,
  type: z.literal('text'),
  /** Unicode code points. */
  maxCharacters: z.int().positive(),
  default: z.string().optional(),
})

const parameter = z.discriminatedUnion('type', [selectParameter, numberParameter, textParameter])
export type Parameter = z.infer<typeof parameter>

/** Prices are whole credits; 1 credit is nominally 0.01 USD. */
const billing = z.discriminatedUnion('type', [
  /** One price for a generation, whatever its parameters. */
  z.strictObject({ type: z.literal('FIXED'), credits: z.int().nonnegative() }),
  /** A price for each second of video, by resolution. */
  z.strictObject({
    type: z.literal('PER_SECOND'),
    creditsPerSecond: z.partialRecord(z.enum(RESOLUTIONS), z.int().nonnegative()),
    /** What references cost beside it, in thousandths of a credit, rounded up to a whole credit in sum. */
    inputs: z
      .strictObject({
        milliCreditsPerImage: z.int().nonnegative(),
        milliCreditsPerVideoSecond: z.int().nonnegative(),
      })
      .optional(),
  }),
])
export type Billing = z.infer<typeof billing>

/** What may be brought to a request in one role, and in which field. */
const referencePolicy = z.strictObject({
  /** The field, as the dialect documents it, for documentation and error messages. */
  parameter: z.string().min(1),
  role: z.enum(REFERENCE_ROLES),
  maxFiles: z.int().positive(),
  kinds: z
    .array(
      z.strictObject({
        kind: z.enum(REFERENCE_KINDS),
        maxBytes: z.int().positive(),
        mimeTypes: z.array(z.string()).min(1),
        /** Length of a video or audio that is taken. */
        minSeconds: z.number().positive().optional(),
        maxSeconds: z.number().positive().optional(),
      }),
    )
    .min(1),
  /** Roles that cannot stand beside it in one request. */
  excludes: z.array(z.enum(REFERENCE_ROLES)).default([]),
  /** The longest video that can be asked for with it, in seconds. */
  maxDurationSeconds: z.int().positive().optional(),
  /** The resolutions that can be asked for with it; all of the model's, if this is absent. */
  resolutions: z.array(z.enum(RESOLUTIONS)).optional(),
  description: localText,
})
export type ReferencePolicy = z.infer<typeof referencePolicy>

/** An edit or an extension: it has parameters and references of its own. */
const sourceOperation = z.strictObject({
  parameters: z.array(parameter).default([]),
  references: z.array(referencePolicy).min(1),
})
export type SourceOperation = z.infer<typeof sourceOperation>

/** Values that this dialect does not let a caller choose. */
const fixedValues = z.strictObject({
  mode: z.enum(MODES).optional(),
  durationSeconds: z.int().positive().optional(),
  resolution: z.enum(RESOLUTIONS).optional(),
  aspectRatio: z.enum(ASPECT_RATIOS).optional(),
})

export const modelSchema = z.strictObject({
  id: z.string().min(1),
  /** Other names under which clients of the dialect ask for it. A task is answered under the name that it was asked by. */
  aliases: z.array(z.string().min(1)).default([]),
  displayName: z.string().min(1),
  category: z.literal('video'),
  /** Unicode code points. */
  maxPromptCharacters: z.int().positive(),
  parameters: z.array(parameter),
  fixed: fixedValues.default({}),
  billing,
  /** Of a generation: what may be brought to it. */
  references: z.array(referencePolicy).default([]),
  /** A role without which it makes nothing: a model that only animates pictures. */
  requiredReference: z.enum(REFERENCE_ROLES).optional(),
  /** Whether a generation with a picture may do without a prompt. */
  isPromptOptionalWithReference: z.boolean().default(false),
  edit: sourceOperation.optional(),
  extend: sourceOperation.optional(),
  supportedModes: z.array(z.string()),
  notices: z.array(localText).default([]),
})

export type Model = z.infer<typeof modelSchema> & { readonly dialect: string }
