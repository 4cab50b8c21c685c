/**
 * Words of a prompt, brought to one form so that lists of stems can be compared with them: lower case, compatibility
 * forms and accents folded ("Forêt" → "foret", "Ё" → "е"), the Hindi nukta and joiners dropped, for people type
 * "ज़ूम" and "जूम" alike. Vowel signs stay with their letters, so a Devanagari word is one word.
 */
export function promptWords(prompt: string): readonly string[] {
  return fold(prompt).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
}

/** U+0300–036F are accents; U+093C is the nukta; U+200C and U+200D are joiners. */
const FOLDED_AWAY = /[\u0300-\u036f]|\u093c|\u200c|\u200d/gu

function fold(text: string): string {
  return text.normalize('NFKD').replace(FOLDED_AWAY, '').toLowerCase().normalize('NFC')
}

/** Matches at a place in a list of words, and says how many words it covered: 0 is no match. */
export type Pattern = (words: readonly string[], at: number) => number

/**
 * Reads a list of patterns, parted by spaces. `sea` is that word alone, `mountain*` any word that begins so (which is how
 * the inflections of all five languages are taken), and `zoom+in` two words in a row.
 */
export function patterns(list: string): readonly Pattern[] {
  return list.trim().split(/\s+/u).map(pattern)
}

function pattern(source: string): Pattern {
  const parts = source.split('+').map((part) => {
    const stem = fold(part.replace('*', ''))
    return part.endsWith('*') ? (word: string) => word.startsWith(stem) : (word: string) => word === stem
  })
  return (words, at) =>
    parts.every((matches, offset) => {
      const word = words[at + offset]
      return word !== undefined && matches(word)
    })
      ? parts.length
      : 0
}

/** How often a list was met in a prompt, and where first. */
export interface Mentions {
  readonly count: number
  /** Index of the first word that matched; `Infinity` when none did. */
  readonly first: number
}

/** Counts the words of a prompt that match any of the patterns; a phrase counts by its length. */
export function mentions(words: readonly string[], list: readonly Pattern[]): Mentions {
  let count = 0
  let first = Number.POSITIVE_INFINITY
  for (const at of words.keys()) {
    const covered = Math.max(...list.map((matches) => matches(words, at)))
    if (covered === 0) continue
    count += covered
    first = Math.min(first, at)
  }
  return { count, first }
}

/** The entry of a vocabulary that a prompt speaks of most; of equals, the one it names first. */
export function mostMentioned<Name extends string>(
  words: readonly string[],
  vocabulary: Readonly<Record<Name, readonly Pattern[]>>,
): Name | undefined {
  let best: { name: Name; found: Mentions } | undefined
  for (const name of Object.keys(vocabulary) as Name[]) {
    const found = mentions(words, vocabulary[name])
    if (found.count === 0) continue
    const better =
      best === undefined ||
      found.count > best.found.count ||
      (found.count === best.found.count && found.first < best.found.first)
    if (better) best = { name, found }
  }
  return best?.name
}
