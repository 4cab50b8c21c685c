/** xAI's video API: what its bodies look like. Source: the vendor's API reference. */
import { z } from 'zod'
import { MAX_URL_CHARACTERS } from '../../canonical/url-limit.ts'
import { endUser } from '../end-user.ts'
import { storableText } from '../read-input.ts'

/** How a body names a picture or a video: an https URL or a data URI, or the id of a file. */
const file = z.union(
  [
    z.looseObject({ url: z.string(), file_id: z.never().optional() }),
    z.looseObject({ file_id: z.string(), url: z.never().optional() }),
  ],
  { error: 'an object with either url or file_id, a text' },
)
export type XaiFile = z.infer<typeof file>

/**
 * What every body has. Keys that are not documented pass on purpose, unless they ask for another video
 * (`unread-keys.ts`). What may stand in the parameters is the catalog's to say.
 */
const everyBody = z.looseObject({
  model: z.string().default('grok-imagine-video'),
  /** Every video has sound here, so only that can be asked for. */
  generate_audio: z.literal(true).optional(),
  user: endUser.optional(),
  /** Where the finished video is to be put, by HTTP PUT. */
  output: z.looseObject({ upload_url: z.string().meta({ maxLength: MAX_URL_CHARACTERS }).optional() }).optional(),
})

export const generationBody = everyBody.extend({
  /** Optional with a picture. */
  prompt: storableText.optional(),
  duration: z.number().optional(),
  aspect_ratio: z.string().optional(),
  resolution: z.string().optional(),
  image: file.optional(),
  last_frame: file.optional(),
  reference_images: z.array(file).optional(),
})

export const editBody = everyBody.extend({ prompt: storableText, video: file })

export const extensionBody = editBody.extend({ duration: z.number().optional() })

const NOT_HERE = 'not offered by this server'

/** Documented fields that are honoured nowhere. */
const NOT_OFFERED: Readonly<Record<string, string>> = {
  reference_audios: `sounds to go by are ${NOT_HERE}`,
  keyframes: `key frames are ${NOT_HERE}`,
  storage_options: `storing results as files of your own is ${NOT_HERE}`,
}

const PICTURES = 'pictures go with a generation'
const AS_SOURCE = 'the video has that of its source'

export const REFUSED_OF_GENERATIONS: Readonly<Record<string, string>> = {
  ...NOT_OFFERED,
  video: 'a video is edited at /v1/videos/edits and extended at /v1/videos/extensions',
}

export const REFUSED_OF_EXTENSIONS: Readonly<Record<string, string>> = {
  ...NOT_OFFERED,
  image: PICTURES,
  last_frame: PICTURES,
  reference_images: PICTURES,
  aspect_ratio: AS_SOURCE,
  resolution: AS_SOURCE,
}

/** Documented: an edit takes neither length, nor ratio, nor resolution. */
export const REFUSED_OF_EDITS: Readonly<Record<string, string>> = {
  ...REFUSED_OF_EXTENSIONS,
  duration: AS_SOURCE,
}
