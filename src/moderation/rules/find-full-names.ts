import { foldText } from './fold-text.ts'
import type { Hit } from './lexicon.ts'
import type { Word } from './split-words.ts'

/** Where more of the words are capitalised this is a title, and a capital says nothing. */
const TITLE_SHARE = 0.8

/** Before places, and before whoever made a picture. */
const NOT_BEFORE_NAMES = new Set(
  ['in', 'at', 'on', 'near', 'by', 'from', 'through', 'over', 'dans', 'à', 'par', 'в', 'на', 'у', 'di', 'oleh'].map(
    foldText,
  ),
)

/** Pairs of words that are written like a given name and a surname. Hindi has no capitals: there are no such pairs. */
export function findFullNames(words: readonly Word[]): Hit<'fullName'>[] {
  const capitalized = words.filter(({ isCapitalized }) => isCapitalized).length
  if (capitalized > words.filter(({ isLetter }) => !isLetter).length * TITLE_SHARE) return []
  return words.flatMap((word, start) => {
    const next = words[start + 1]
    const before = words[start - 1]
    if (!word.isCapitalized || next?.isCapitalized !== true || next.gap !== ' ') return []
    if (before !== undefined && NOT_BEFORE_NAMES.has(foldText(before.text))) return []
    return [{ concept: 'fullName' as const, start, end: start + 2 }]
  })
}
