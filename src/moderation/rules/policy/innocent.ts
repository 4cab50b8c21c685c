/** Phrases that hold a word of the policy and mean nothing of the kind: the word counts for nothing in them. */
export const INNOCENT_TERMS: readonly string[] = [
  // en
  ...['naked mole rat', 'naked mole rats', 'naked mole', 'naked eye', 'naked flame', 'naked flames', 'naked truth'],
  ...['naked singularity', 'naked tree', 'naked trees', 'naked branch', 'naked branches', 'naked rock', 'naked rocks'],
  ...['pussy willow', 'pussy willows', 'pussy cat', 'pussy cats', 'cum laude', 'anal fin', 'anal fins', 'no nudity'],
  ...[
    'without nudity',
    'minor key',
    'minor scale',
    'minor chord',
    'minor league',
    'minor third',
    'asia minor',
    'ursa minor',
  ],
  ...['minor planet', 'minor detail', 'minor details', 'much ado', 'baby blue', 'baby pink', 'baby grand'],
  ...['kid gloves', 'kid leather', 'naked bike', 'naked motorcycle', 'boy shorts', 'inner child', 'child process'],
  ...['of', 'in'].flatMap((of) =>
    ['plants', 'flowers', 'flowering plants', 'ferns', 'mosses', 'algae', 'fungi', 'yeast', 'corals'].map(
      (what) => `sexual reproduction ${of} ${what}`,
    ),
  ),
  // fr
  ...['pieds nus', 'pied nu', 'nu pieds', 'tête nue', 'têtes nues', 'mains nues', 'à mains nues', 'œil nu', 'torse nu'],
  ...['bras nus', 'arbres nus', 'arbre nu', 'branches nues', 'mur nu', 'murs nus', 'mise à nu', 'nu jazz', 'nu metal'],
  ...['sans nudité'],
  // ru
  ...['голые деревья', 'голых деревьев', 'голые ветви', 'голых ветвей', 'голые ветки', 'голый землекоп', 'без наготы'],
  ...['голыми руками', 'голые камни', 'голых скал', 'голые скалы', 'голая степь', 'голыми ногами', 'с голыми ногами'],
  // hi
  ...['नंगे पैर', 'नंगे पाँव', 'नंगे पांव', 'नंगी आँख', 'नंगी आंखों', 'नंगी आँखों', 'nange pair', 'nange paon'],
  // id
  ...[
    'telanjang kaki',
    'bertelanjang kaki',
    'mata telanjang',
    'telanjang dada',
    'bertelanjang dada',
    'tanpa ketelanjangan',
  ],
]

/**
 * The same, where they stand by themselves: between signs, small words and the ends of the prompt. Their last words may
 * also be said of somebody ("a topless mountain girl") or go on to something else ("a topless car wash", which is why
 * there are no cars).
 */
export const INNOCENT_THING_TERMS: readonly string[] = [
  ...['mountain', 'mountains', 'peak', 'peaks', 'hill', 'hills', 'volcano', 'tower', 'towers'].map(
    (what) => `topless ${what}`,
  ),
  ...['', ' ad', ' ads', ' advert', ' commercial', ' bottle', ' bottles', ' brand', ' logo', ' smoothie'].map(
    (what) => `naked juice${what}`,
  ),
  ...['color', 'colour'].flatMap((color) =>
    ['palette', 'palettes', 'scheme', 'schemes', 'swatch', 'swatches', 'chart'].map((what) => `nude ${color} ${what}`),
  ),
  ...['sticker', 'stickers', 'sign', 'signs', 'decal', 'decals'].map((what) => `baby on board ${what}`),
]

/** What is taken off there is no dress. Counts beside no minor, and where the phrase ends: "remove her dress veil stays on". */
export const INNOCENT_UNDRESSING_TERMS: readonly string[] = [
  ...['take off', 'takes off', 'taking off', 'remove', 'removes', 'removing'].flatMap((verb) =>
    ['veil', 'veils'].map((what) => `${verb} _ dress ${what}`),
  ),
]

/** The same, of colours and goods; but beside a minor the word counts: what is meant there is not left to a phrase. */
export const INNOCENT_OF_ADULTS_TERMS: readonly string[] = [
  ...[
    'nude lipstick',
    'nude lipsticks',
    'nude lip',
    'nude colour',
    'nude colours',
    'nude color',
    'nude colors',
    'nude tone',
  ],
  ...[
    'nude tones',
    'nude shade',
    'nude shades',
    'nude palette',
    'nude heels',
    'nude pumps',
    'nude makeup',
    'nude nails',
  ],
  ...['nude nail', 'nude polish', 'nude beige', 'nude pink', 'nude lip gloss', 'rouge à lèvres nude', 'couleur nude'],
  ...[
    'not nude',
    'not naked',
    'non nude',
    'nobody naked',
    'pas nu',
    'pas nue',
    'не голый',
    'не голая',
    'tidak telanjang',
  ],
]
