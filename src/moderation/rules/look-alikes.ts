/**
 * Characters that are read as Latin letters and are none, beside those that NFKC turns into Latin ones by itself
 * (fullwidth, mathematical, circled). Chosen from the confusables of UTS 39 by what a keyboard or a web page of
 * "fancy letters" offers.
 */

/** Latin letter → what looks like it in lower case. Texts and words of the policy go the same way, so Russian stays Russian. */
const LOWER: Readonly<Record<string, string>> = {
  a: 'аαɑᴀ',
  b: 'вβʙ',
  c: 'сᴄϲ',
  d: 'ԁδđðᴅ',
  e: 'еεɛəᴇ',
  f: 'ƒꜰ',
  g: 'ɡɢց',
  h: 'нһħʜհ',
  i: 'іιıɩɪ',
  j: 'јᴊ',
  k: 'кκᴋ',
  l: 'ӏłʟ',
  m: 'мμᴍ',
  n: 'ηπɴո',
  o: 'оοøɔօᴏ',
  p: 'рρᴘ',
  q: 'ԛզ',
  r: 'ʀ',
  s: 'ѕσςꜱ',
  t: 'тτŧᴛ',
  u: 'υսᴜ',
  v: 'νᴠѵ',
  w: 'ԝωᴡ',
  x: 'хχ',
  y: 'уγүʏ',
  z: 'ζᴢ',
  ae: 'æ',
  oe: 'œ',
  ss: 'ß',
}

/** Capitals that look like another letter than their small ones do. */
const UPPER: Readonly<Record<string, string>> = {
  A: 'АΑ',
  B: 'ВΒ',
  C: 'СϹ',
  D: 'ԀĐ',
  E: 'ЕΕΣ',
  H: 'НΗҺĦ',
  I: 'ІΙ',
  J: 'ЈͿ',
  K: 'КΚ',
  L: 'Ł',
  M: 'МΜϺ',
  N: 'Ν',
  O: 'ОΟØՕ',
  P: 'РΡ',
  Q: 'Ԛ',
  S: 'ЅՏ',
  T: 'ТΤŦ',
  U: 'Ս',
  V: 'Ѵ',
  W: 'Ԝ',
  X: 'ХΧ',
  Y: 'УΥҮ',
  Z: 'Ζ',
  l: 'Ӏ',
  AE: 'Æ',
  OE: 'Œ',
  SS: 'ẞ',
}

/**
 * Letters that look like a Latin one only to somebody who expects one: read so only in words that mix scripts. In Russian
 * words they would make others: сим would be read as an English word.
 */
const LOOSE: Readonly<Record<string, string>> = {
  b: 'бь',
  d: 'д',
  e: 'зэ',
  n: 'пиν',
  r: 'гя',
  u: 'иμц',
  w: 'шщ',
  o: 'θф',
}

export const LOOK_ALIKES = mapOf([...Object.entries(LOWER), ...Object.entries(UPPER)])

/** Each set is one way to read a word: the same letter may stand for two. */
export const LOOSE_LOOK_ALIKES: readonly ReadonlyMap<string, string>[] = [
  mapOf(Object.entries(LOOSE)),
  mapOf(Object.entries(LOOSE).reverse()),
]

/** Digits and signs that are read as letters inside a word; where one may be two letters, each has a reading. */
export const LEET: readonly ReadonlyMap<string, string>[] = ['i', 'l'].map(
  (one) =>
    new Map([
      ['0', 'o'],
      ['1', one],
      ['!', one],
      ['|', one],
      ['3', 'e'],
      ['4', 'a'],
      ['@', 'a'],
      ['5', 's'],
      ['$', 's'],
      ['7', 't'],
      ['8', 'b'],
      ['9', 'g'],
    ]),
)

function mapOf(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(entries.flatMap(([letter, alike]) => Array.from(alike, (each) => [each, letter] as const)))
}
