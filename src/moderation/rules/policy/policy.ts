/**
 * The default policy, as data: concepts with their words in English, French, Russian, Hindi and Indonesian, and rules over
 * concepts. The first rule that a prompt meets refuses it.
 */
import type { Category } from '../../category.ts'
import {
  INNOCENT_OF_ADULTS_TERMS,
  INNOCENT_TERMS,
  INNOCENT_THING_TERMS,
  INNOCENT_UNDRESSING_TERMS,
} from './innocent.ts'
import { ABUSE_TERMS, MINOR_TERMS, YOUTH_TERMS } from './minors.ts'
import {
  DEEPFAKE_TERMS,
  DEPICTED_TERMS,
  GIVEN_NAME_TERMS,
  NUDIFY_TERMS,
  PEOPLE_TERMS,
  REAL_PERSON_TERMS,
  UNDRESS_TERMS,
} from './people.ts'
import { EXPLICIT_TERMS, NUDITY_TERMS, SUGGESTIVE_TERMS } from './sexual.ts'

export const CONCEPTS = {
  minor: MINOR_TERMS,
  youth: YOUTH_TERMS,
  abuse: ABUSE_TERMS,
  explicit: EXPLICIT_TERMS,
  nudity: NUDITY_TERMS,
  suggestive: SUGGESTIVE_TERMS,
  realPerson: REAL_PERSON_TERMS,
  givenName: GIVEN_NAME_TERMS,
  depicted: DEPICTED_TERMS,
  people: PEOPLE_TERMS,
  undress: UNDRESS_TERMS,
  deepfake: DEEPFAKE_TERMS,
  nudify: NUDIFY_TERMS,
  innocent: INNOCENT_TERMS,
  innocentOfAdults: INNOCENT_OF_ADULTS_TERMS,
  innocentThing: INNOCENT_THING_TERMS,
  innocentUndressing: INNOCENT_UNDRESSING_TERMS,
} as const
/** `fullName`: two words next to each other that are written like a given name and a surname. */
export type Concept = keyof typeof CONCEPTS | 'fullName'

export interface Rule {
  /** As the log and the table of refusals have it; stays the same when the rule's words change. */
  readonly id: string
  readonly category: Category
  /** Each entry is met by any of its concepts; the rule, by all entries. Their order in the prompt does not matter. */
  readonly all: readonly (readonly Concept[])[]
  /** At most so many words between them; without it, anywhere in the prompt. */
  readonly withinWords?: number
  /** Holds only for requests that bring a picture or video. */
  readonly onlyWithPicture?: true
  /** Does not hold in the mode spicy, for accounts that are allowed it. */
  readonly exceptSpicy?: true
}

/** "nude photo of", and a name. */
const NAME_DISTANCE_WORDS = 2
/** "naked in the rain, a woman". */
const PEOPLE_DISTANCE_WORDS = 5

export const RULES: readonly Rule[] = [
  { id: 'minors.abuse', category: 'sexual_minors', all: [['abuse']] },
  {
    id: 'minors.sexual',
    category: 'sexual_minors',
    all: [['minor'], ['explicit', 'nudity', 'suggestive']],
  },
  { id: 'minors.youth', category: 'sexual_minors', all: [['youth'], ['explicit', 'nudity']] },
  { id: 'people.nudify', category: 'non_consensual', all: [['nudify']] },
  {
    id: 'people.deepfake',
    category: 'non_consensual',
    all: [['deepfake'], ['explicit', 'nudity', 'suggestive', 'undress']],
  },
  { id: 'people.real', category: 'non_consensual', all: [['realPerson'], ['explicit', 'nudity', 'undress']] },
  {
    id: 'people.named',
    category: 'non_consensual',
    all: [
      ['givenName', 'fullName'],
      ['explicit', 'nudity', 'undress'],
    ],
    withinWords: NAME_DISTANCE_WORDS,
  },
  {
    id: 'people.depicted',
    category: 'non_consensual',
    all: [['depicted'], ['explicit', 'nudity', 'undress']],
    onlyWithPicture: true,
  },
  { id: 'explicit.acts', category: 'explicit', all: [['explicit']], exceptSpicy: true },
  {
    id: 'explicit.nudity',
    category: 'explicit',
    all: [['nudity'], ['people']],
    withinWords: PEOPLE_DISTANCE_WORDS,
    exceptSpicy: true,
  },
]
