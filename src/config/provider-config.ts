/**
 * `reelay.config.json`: which providers there are and which of them make which model's videos. The schema here is what
 * reads the file, and what `docs/reelay.config.schema.json` is printed from for editors.
 */
import { z } from 'zod'

/** The renderer that is always there, by the name under which routes may list it; names that go on with `-` are its own too. */
export const ANIMATIC = 'animatic'

const NAME = /^[a-z][a-z0-9-]{0,39}$/

/** A start is given up after 30 s, whatever it waits for. */
const MAX_TIMEOUT_SECONDS = 30

/** A secret never stands in the file: it says which environment variable, or which other file, holds it. */
const secret = z
  .string()
  .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, { error: 'env:NAME or file:PATH' })
  .describe(
    'A secret: env:NAME, the environment variable that holds it, or file:PATH, a file that holds it and nothing else, ' +
      'relative to this one. Only a file can be changed while the server runs.',
  )

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'an http or https address' })
  .refine((url) => !URL.canParse(url) || isPlain(new URL(url)), {
    error: 'an http or https address without user, query or fragment',
  })
  .transform((url) => url.replace(/\/+$/, ''))

function isPlain({ username, password, search, hash }: URL): boolean {
  return `${username}${password}${search}${hash}` === ''
}

/** How a ComfyUI graph takes what a request asks for: node inputs, as `<node id>.<input>`. */
const workflow = z
  .strictObject({
    file: z.string().min(1).describe('Path of the graph in API format, relative to this file.'),
    inputs: z
      .strictObject({
        prompt: z.string(),
        width: z.string().exactOptional(),
        height: z.string().exactOptional(),
        frames: z.string().exactOptional(),
        seed: z.string().exactOptional(),
        image: z.string().exactOptional(),
      })
      .describe('Which node inputs take what, each as "<node id>.<input>".'),
    framesPerSecond: z.number().positive().max(120).default(24),
  })
  .describe('For kind comfyui: the graph that makes the videos.')

const modelRoute = z.strictObject({
  providers: z
    .array(z.string())
    .min(1)
    .describe(`Names of providers, in order of preference; "${ANIMATIC}" is the renderer.`),
  strategy: z
    .enum(['ordered', 'weighted'])
    .default('ordered')
    .describe('ordered: the first that can; weighted: in proportion to their weights.'),
})

const moderation = z
  .strictObject({
    rules: z.boolean().default(true).describe('The built-in rules.'),
    endpoint: z
      .strictObject({
        baseUrl: baseUrl.describe('What POST /moderations is below.'),
        apiKey: secret.optional(),
        model: z.string().min(1).optional().describe('By default the server’s own.'),
        whenAway: z
          .enum(['refuse', 'allow'])
          .default('refuse')
          .describe('What becomes of a prompt that it cannot judge.'),
        timeoutSeconds: z.number().min(0.5).max(30).default(5),
      })
      .optional()
      .describe('An OpenAI-compatible moderation API, asked after the rules.'),
  })
  .describe('What prompts are judged by, before anything is held or fetched.')

const deadlines = z.strictObject({
  taskSeconds: z
    .int()
    .min(60)
    .max(86_400)
    .default(3_600)
    .describe('For a provider to finish a job that it has accepted, and before that for one to accept it.'),
  uncertainSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(3_600)
    .describe('How long an attempt of which nobody knows whether it arrived holds its credits.'),
})

function providerOf(kinds: readonly string[]) {
  return z.strictObject({
    kind: z.enum(kinds).describe('The adapter: which API the provider speaks.'),
    baseUrl: baseUrl.describe(
      'What the vendor’s documentation calls its base URL; it may be on a private network. A server at another address is ' +
        'another provider and needs another name, as long as jobs run at this one.',
    ),
    apiKey: z
      .union([secret, z.array(secret).min(1).max(5)])
      .optional()
      .describe(
        'The key. Of several the first is used for new jobs; the others go on serving the jobs that they started.',
      ),
    model: z.string().min(1).optional().describe('The provider’s own name of the model, if it differs.'),
    concurrency: z.int().min(1).max(10_000).optional().describe('Jobs at once.'),
    requestsPerMinute: z.int().min(1).max(1_000_000).optional().describe('Jobs begun in a minute, by each worker.'),
    weight: z.int().min(1).max(1_000).default(1).describe('Its share, where a model’s route is weighted.'),
    timeoutSeconds: z.number().min(1).max(MAX_TIMEOUT_SECONDS).optional().describe('For an answer to a request.'),
    pollSeconds: z.number().min(0.1).max(600).optional().describe('Between two looks at a job.'),
    costMicroUsd: z
      .int()
      .nonnegative()
      .optional()
      .describe('What it charges for a second of video, in millionths of a US dollar. Unknown is not zero.'),
    sizeStep: z
      .int()
      .min(1)
      .max(128)
      .optional()
      .describe(
        'Of kinds openai-videos, comfyui and stable-diffusion-cpp: the pixels of which the sides of its frames have to be ' +
          'multiples; 16 by default. A video that is larger by that is cut to the size that was asked for.',
      ),
    honoursIdempotencyKey: z
      .boolean()
      .optional()
      .describe('Whether a create that is repeated with the same Idempotency-Key makes one job. Reelay does.'),
    webhookSecret: secret.optional().describe('What the provider signs its webhooks with, where it does.'),
    callback: z
      .boolean()
      .default(false)
      .describe('Whether its jobs name an address below REELAY_PUBLIC_URL that it calls when they have ended.'),
    workflow: workflow.optional(),
  })
}

/** `kinds`: those that there are adapters for. */
export function providerConfigSchema(kinds: readonly string[]) {
  return z.strictObject({
    $schema: z.string().optional().describe('For editors: "./docs/reelay.config.schema.json".'),
    providers: z.record(z.string().regex(NAME), providerOf(kinds)).default({}).describe('By a name of your choice.'),
    models: z.record(z.string(), modelRoute).default({}).describe('By the model’s id; "*" for all others.'),
    moderation: moderation.prefault({}),
    deadlines: deadlines.prefault({}),
  })
}
export type ProviderConfig = z.infer<ReturnType<typeof providerConfigSchema>>
export type ProviderEntry = ProviderConfig['providers'][string]

/** The same as JSON Schema, for editors. */
export function providerConfigJsonSchema(kinds: readonly string[]): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(providerConfigSchema(kinds), { io: 'input' }),
    title: 'reelay.config.json',
    description: 'Providers, routes, moderation and deadlines of a Reelay.',
  }
}
