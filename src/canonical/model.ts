/**
 * A model as one dialect offers it: the shape of the catalog's JSON files. The same data validates requests, quotes
 * their price, and documents the model, so the three cannot disagree.
 */
import { z } from 'zod'
import { ASPECT_RATIOS, MODES, RESOLUTIONS } from './generation.ts'

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
  }),
])
export type Billing = z.infer<typeof billing>

const uploadPolicy = z.strictObject({
  parameter: z.string().min(1),
  maxFiles: z.int().positive(),
  kinds: z.array(
    z.strictObject({
      kind: z.enum(['image', 'video', 'audio']),
      maxBytes: z.int().positive(),
      mimeTypes: z.array(z.string()).min(1),
    }),
  ),
  description: localText,
})

/** Values that this dialect does not let a caller choose. */
const fixedValues = z.strictObject({
  mode: z.enum(MODES).optional(),
  durationSeconds: z.int().positive().optional(),
  resolution: z.enum(RESOLUTIONS).optional(),
  aspectRatio: z.enum(ASPECT_RATIOS).optional(),
})

export const modelSchema = z.strictObject({
  id: z.string().min(1),
  displayName: z.string().min(1),
  category: z.literal('video'),
  /** Unicode code points. */
  maxPromptCharacters: z.int().positive(),
  parameters: z.array(parameter),
  fixed: fixedValues.default({}),
  billing,
  /** Reference files that the model's vendor documents. */
  upload: uploadPolicy.optional(),
  supportedModes: z.array(z.string()),
  notices: z.array(localText).default([]),
})

export type Model = z.infer<typeof modelSchema> & { readonly dialect: string }
