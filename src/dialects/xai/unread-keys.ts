/**
 * xAI's bodies are open: a key that is not documented passes, since the vendor lets it pass and its clients put whatever
 * options they are given into the body. But a key that asks for media, length, shape, sound or a number of videos under
 * another name asks for another video than the one that would be made and charged. Such a key is refused, and the refusal
 * names the field that is meant. The table says which keys those are.
 */
import { isJsonObject, type Json } from '../../canonical/json.ts'
import { Refusal } from '../../canonical/refusal.ts'

/** Keys of one meaning. */
interface Meaning {
  /** Words of a key, wherever its parts end: `firstFrame`, `first-frame` and `FIRST_FRAME` have the words first and frame. */
  readonly words?: readonly string[]
  /** Texts within a key: long enough to mean the same in `imageurl`. */
  readonly parts?: readonly string[]
  /** The key has one of these as well. */
  readonly beside?: readonly string[]
  /** The field that is meant. */
  readonly meant: string
  /** Values that ask for nothing else than what is made anyway. */
  readonly harmless?: readonly Json[]
}

const PICTURES = ['image', 'picture', 'photo', 'frame', 'img', 'pic']

/** How other video APIs name what xAI takes under a name of its own. Of several meanings of a key the last one counts. */
const MEANINGS: readonly Meaning[] = [
  { words: ['file', 'files', 'media', 'upload', 'uploads'], meant: 'image' },
  { words: ['img', 'imgs', 'pic', 'pics'], parts: ['image', 'picture', 'photo', 'frame'], meant: 'image' },
  { words: ['ref', 'refs', 'reference'], beside: PICTURES, meant: 'reference_images' },
  { words: ['refs', 'references'], meant: 'reference_images' },
  { words: ['last', 'end', 'tail', 'final'], beside: PICTURES, meant: 'last_frame' },
  { words: ['clip', 'clips', 'footage'], parts: ['video'], meant: 'video, of an edit or extension' },
  { words: ['n', 'num', 'count', 'samples', 'variants'], meant: 'one request for each video', harmless: [1, '1'] },
  { words: ['length', 'secs', 'frames'], parts: ['duration', 'seconds'], meant: 'duration' },
  { words: ['ratio', 'shape'], parts: ['aspect', 'orientation', 'portrait', 'landscape'], meant: 'aspect_ratio' },
  { words: ['size'], parts: ['width', 'height', 'dimension'], meant: 'aspect_ratio and resolution' },
  { words: ['hd'], parts: ['resolution', 'quality', 'upscal'], meant: 'resolution', harmless: [false] },
  { words: ['music', 'speech'], parts: ['audio', 'sound', 'voice'], meant: 'generate_audio', harmless: [true] },
  { words: ['mute', 'muted', 'silent'], meant: 'generate_audio', harmless: [false] },
]

/** Objects within objects that are looked into: clients that wrap their options do so once or twice. */
const MAX_DEPTH = 3

/**
 * Refuses a body with a key that is not read and asks for another video. `known` are the keys that are read, or refused in
 * words of their own.
 * @throws Refusal `invalid_field`, whose detail names the key
 */
export function refuseUnreadKeys(body: Json | undefined, known: readonly string[]): void {
  if (!isJsonObject(body)) return
  for (const [key, value] of Object.entries(body)) {
    if (!known.includes(key)) refuseUnread(key, value, MAX_DEPTH)
  }
  // Its only member that is read; the options of the video are easily put beside it.
  if (isJsonObject(body['output'])) {
    for (const [key, value] of Object.entries(body['output'])) {
      if (key !== 'upload_url') refuseUnread(`output.${key}`, value, MAX_DEPTH)
    }
  }
}

function refuseUnread(path: string, value: Json, depth: number): void {
  const meaning = asksForNothing(value) ? undefined : meaningOf(path.slice(path.lastIndexOf('.') + 1))
  if (meaning !== undefined && !(meaning.harmless ?? []).includes(value)) {
    const message = `${path} cannot be used: the key is not read; use ${meaning.meant}.`
    throw new Refusal('invalid_field', message, { detail: { field: path, allowed: meaning.meant } })
  }
  if (!isJsonObject(value) || depth === 0) return
  for (const [key, member] of Object.entries(value)) refuseUnread(`${path}.${key}`, member, depth - 1)
}

function asksForNothing(value: Json): boolean {
  if (value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function meaningOf(key: string): Meaning | undefined {
  const words = key
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
  const whole = words.join('')
  return MEANINGS.findLast(({ words: exact = [], parts = [], beside }) => {
    const isMeant = exact.some((word) => words.includes(word)) || parts.some((part) => whole.includes(part))
    return isMeant && (beside === undefined || beside.some((part) => whole.includes(part)))
  })
}
